/** The header by which the server knows that a request was made by a page of its own. */
export const CSRF_HEADER = "X-CSRF-Token";

type Fetch = typeof globalThis.fetch;

interface TokenAnswer {
  data?: { viewer?: { csrfToken?: string | null } | null } | null;
}

/**
 * Knows the CSRF token of the session that the browser's cookie stands for.
 *
 * The cookie is HttpOnly, so a page cannot see when the session changes. The token is therefore kept until somebody who
 * may have changed the session calls {@link CsrfToken.forget}.
 */
export class CsrfToken {
  readonly #endpoint: string;
  readonly #fetch: Fetch;
  #token: Promise<string | null> | undefined;

  constructor(endpoint: string, fetch: Fetch) {
    this.#endpoint = endpoint;
    this.#fetch = fetch;
  }

  /** The token, or null when nobody is signed in. Calls made at the same time share one request. */
  get(): Promise<string | null> {
    this.#token ??= this.#ask();
    return this.#token;
  }

  /** The next {@link CsrfToken.get} asks the server again. */
  forget(): void {
    this.#token = undefined;
  }

  async #ask(): Promise<string | null> {
    try {
      const response = await this.#fetch(this.#endpoint, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ query: "{ viewer { csrfToken } }" }),
      });
      const answer = (await response.json()) as TokenAnswer;
      return answer.data?.viewer?.csrfToken ?? null;
    } catch {
      // The operation that wanted the token is sent without it and reports in its own words what is wrong.
      this.forget();
      return null;
    }
  }
}
