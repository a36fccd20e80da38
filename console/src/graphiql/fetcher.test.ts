import { parse, type ExecutionResult } from "graphql";
import { describe, expect, it } from "vitest";

import { createFetcher, socketUrl, type Operation, type Server } from "./fetcher";

const TOKEN_QUERY = "{ viewer { csrfToken } }";

interface Sent {
  query: string;
  headers: Record<string, string>;
  credentials: RequestCredentials | undefined;
}

/** A server that notes what it is sent. Its session's token is `session-N`; null means nobody is signed in. */
class FakeServer implements Server {
  readonly endpoint = "/graphql";
  readonly sent: Sent[] = [];
  readonly subscriptions: { operation: Operation; connectionParams: Record<string, string> }[] = [];
  token: string | null = "session-1";
  tokenQueriesFail = false;
  refuseStaleTokens = false;

  readonly fetch = (_url: unknown, init?: RequestInit): Promise<Response> => {
    const { query } = JSON.parse(init?.body as string) as Operation;
    const headers = { ...(init?.headers as Record<string, string>) };
    this.sent.push({ query, headers, credentials: init?.credentials });
    if (query === TOKEN_QUERY) {
      return this.tokenQueriesFail
        ? Promise.reject(new TypeError("Failed to fetch"))
        : Promise.resolve(Response.json({ data: { viewer: { csrfToken: this.token } } }));
    }
    const stale = this.refuseStaleTokens && headers["X-CSRF-Token"] !== this.token;
    return Promise.resolve(
      stale
        ? Response.json({ errors: [{ message: "stale token" }] }, { status: 403 })
        : Response.json({ data: { ok: true } }),
    );
  };

  readonly subscribe = (operation: Operation, connectionParams: Record<string, string>) => {
    this.subscriptions.push({ operation, connectionParams });
    return (async function* (): AsyncGenerator<ExecutionResult> {
      yield await Promise.resolve({ data: { leadReceived: { id: "lead_1" } } });
    })();
  };

  get operations(): Sent[] {
    return this.sent.filter(({ query }) => query !== TOKEN_QUERY);
  }

  get tokenQueries(): number {
    return this.sent.length - this.operations.length;
  }
}

function runner(server: Server) {
  const fetcher = createFetcher(server);
  return async (query: string, headers?: Record<string, string>) =>
    fetcher({ query }, { documentAST: parse(query), ...(headers ? { headers } : {}) });
}

describe("the GraphiQL fetcher", () => {
  it("sends the session's CSRF token with every operation", async () => {
    const server = new FakeServer();
    const run = runner(server);
    await run("{ viewer { id } }");
    await run("mutation { signOut { userErrors { code } } }");
    expect(server.operations.map(({ headers }) => headers["X-CSRF-Token"])).toEqual(["session-1", "session-1"]);
  });

  it("sends cookies to its own origin only", async () => {
    const server = new FakeServer();
    await runner(server)("{ viewer { id } }");
    expect(server.sent.map(({ credentials }) => credentials)).toEqual(["same-origin", "same-origin"]);
  });

  it("asks for the token once for many queries", async () => {
    const server = new FakeServer();
    const run = runner(server);
    await Promise.all([run("{ a }"), run("{ b }")]);
    await run("{ c }");
    expect(server.tokenQueries).toBe(1);
  });

  it("asks for a new token after a mutation, which may have signed in", async () => {
    const server = new FakeServer();
    server.token = null;
    const run = runner(server);
    await run("mutation { signIn { userErrors { code } } }");
    server.token = "session-2";
    await run("{ viewer { id } }");
    expect(server.operations.map(({ headers }) => headers["X-CSRF-Token"])).toEqual([undefined, "session-2"]);
  });

  it("sends a refused operation once more with a fresh token", async () => {
    const server = new FakeServer();
    server.refuseStaleTokens = true;
    const run = runner(server);
    await run("{ viewer { id } }");
    server.token = "session-2";
    const result = await run("mutation { updateLead { userErrors { code } } }");
    expect(result).toEqual({ data: { ok: true } });
    expect(server.operations.map(({ headers }) => headers["X-CSRF-Token"])).toEqual([
      "session-1",
      "session-1",
      "session-2",
    ]);
  });

  it("repeats a refused operation only once", async () => {
    const server = new FakeServer();
    const refusing: Server = {
      endpoint: server.endpoint,
      subscribe: server.subscribe,
      fetch: async (url, init) => {
        const response = await server.fetch(url, init);
        return (init?.body as string).includes("csrfToken") ? response : Response.json({ errors: [] }, { status: 403 });
      },
    };
    const result = await runner(refusing)("mutation { updateLead { userErrors { code } } }");
    expect(result).toEqual({ errors: [] });
    expect(server.operations).toHaveLength(2);
  });

  it("leaves the headers alone when the reader wrote a bearer token", async () => {
    const server = new FakeServer();
    await runner(server)("{ viewer { id } }", { authorization: "Bearer abc" });
    expect(server.tokenQueries).toBe(0);
    expect(server.operations[0]?.headers).toMatchObject({ authorization: "Bearer abc" });
    expect(server.operations[0]?.headers).not.toHaveProperty("X-CSRF-Token");
  });

  it("leaves a CSRF token alone that the reader wrote", async () => {
    const server = new FakeServer();
    await runner(server)("{ viewer { id } }", { "x-csrf-token": "mine" });
    expect(server.tokenQueries).toBe(0);
    expect(server.operations[0]?.headers).toMatchObject({ "x-csrf-token": "mine" });
  });

  it("adds the CSRF token to other headers that the reader wrote", async () => {
    const server = new FakeServer();
    await runner(server)("{ viewer { id } }", { "Idempotency-Key": "k1" });
    expect(server.operations[0]?.headers).toMatchObject({ "Idempotency-Key": "k1", "X-CSRF-Token": "session-1" });
  });

  it("sends the operation without a token when none can be had, and asks again next time", async () => {
    const server = new FakeServer();
    server.tokenQueriesFail = true;
    const run = runner(server);
    await expect(run("{ viewer { id } }")).resolves.toEqual({ data: { ok: true } });
    server.tokenQueriesFail = false;
    await run("{ viewer { id } }");
    expect(server.operations.map(({ headers }) => headers["X-CSRF-Token"])).toEqual([undefined, "session-1"]);
  });

  it("runs subscriptions over the socket with the token in connection_init", async () => {
    const server = new FakeServer();
    const stream = (await runner(server)("subscription { leadReceived { id } }")) as AsyncIterable<ExecutionResult>;
    const results = [];
    for await (const result of stream) {
      results.push(result);
    }
    expect(results).toEqual([{ data: { leadReceived: { id: "lead_1" } } }]);
    expect(server.subscriptions[0]?.connectionParams).toEqual({ "X-CSRF-Token": "session-1" });
    expect(server.operations).toHaveLength(0);
  });

  it("takes the operation's kind from the name when a document holds several", async () => {
    const server = new FakeServer();
    const query = "query A { viewer { id } } subscription B { leadReceived { id } }";
    const fetcher = createFetcher(server);
    await fetcher({ query, operationName: "A" }, { documentAST: parse(query) });
    expect(server.subscriptions).toHaveLength(0);
    await fetcher({ query, operationName: "B" }, { documentAST: parse(query) });
    expect(server.subscriptions[0]?.operation).toEqual({ query, operationName: "B" });
  });
});

describe("the subscription socket", () => {
  it("is encrypted when the page is", () => {
    const page = { href: "https://leads.example.org/graphql?query=x" };
    expect(socketUrl(page, "/graphql")).toBe("wss://leads.example.org/graphql/ws");
  });

  it("is plain on a developer's machine", () => {
    expect(socketUrl({ href: "http://127.0.0.1:8080/graphql" }, "/graphql")).toBe("ws://127.0.0.1:8080/graphql/ws");
  });
});
