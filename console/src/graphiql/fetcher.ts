import type { Fetcher } from "@graphiql/toolkit";
import { getOperationAST, OperationTypeNode, type DocumentNode, type ExecutionResult } from "graphql";
import { createClient } from "graphql-ws";

import { CSRF_HEADER, CsrfToken } from "./csrf";

type Fetch = typeof globalThis.fetch;
type Headers = Record<string, string>;

/** An operation as it goes over the wire. */
export interface Operation {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

/** Runs a subscription; `connectionParams` become the payload of `connection_init`. */
export type Subscribe = (operation: Operation, connectionParams: Headers) => AsyncIterable<ExecutionResult>;

/** What the page talks to. Tests put their own in its place. */
export interface Server {
  endpoint: string;
  fetch: Fetch;
  subscribe: Subscribe;
}

/**
 * Makes GraphiQL's fetcher: queries and mutations by POST, subscriptions over a WebSocket.
 *
 * A reader who has signed in needs to know nothing of CSRF: the token is fetched and sent with every operation. Whoever
 * names a token of either kind in the header editor is taken at their word, and nothing is added.
 */
export function createFetcher(server: Server): Fetcher {
  const csrf = new CsrfToken(server.endpoint, server.fetch);

  return async (params, options) => {
    const operation = toOperation(params);
    const written: Headers = options?.headers ?? {};
    const kind = kindOf(options?.documentAST, operation.operationName);

    if (kind === OperationTypeNode.SUBSCRIPTION) {
      return server.subscribe(operation, await withCsrf(written, csrf));
    }

    const response = await post(server, operation, written, csrf);
    if (kind === OperationTypeNode.MUTATION) {
      // It may have been a sign-in or a sign-out; the token belongs to the session.
      csrf.forget();
    }
    return (await response.json()) as ExecutionResult;
  };
}

/** A Server reached from this page: same origin, cookies included. */
export function pageServer(page: Location, endpoint: string): Server {
  const url = socketUrl(page, endpoint);
  return {
    endpoint,
    fetch: (input, init) => globalThis.fetch(input, init),
    // A socket for each subscription: the token of the moment goes with it, and it closes when the reader presses stop.
    subscribe: (operation, connectionParams) =>
      createClient({ url, connectionParams }).iterate(operation) as AsyncIterable<ExecutionResult>,
  };
}

/** Where subscriptions go: beside the endpoint, encrypted when the page is. */
export function socketUrl(page: Pick<Location, "href">, endpoint: string): string {
  const url = new URL(`${endpoint}/ws`, page.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

async function post(server: Server, operation: Operation, written: Headers, csrf: CsrfToken): Promise<Response> {
  const send = async (): Promise<Response> =>
    server.fetch(server.endpoint, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/graphql-response+json, application/json;q=0.9",
        ...(await withCsrf(written, csrf)),
      },
      body: JSON.stringify(operation),
    });

  const response = await send();
  if (response.status !== 403 || carriesProof(written)) {
    return response;
  }
  // The session changed in another tab. A request refused for its token was not executed, so it may be sent once more.
  csrf.forget();
  return send();
}

async function withCsrf(written: Headers, csrf: CsrfToken): Promise<Headers> {
  if (carriesProof(written)) {
    return written;
  }
  const token = await csrf.get();
  return token === null ? written : { ...written, [CSRF_HEADER]: token };
}

/** Whether the reader wrote a bearer token, or a CSRF token of their own. */
function carriesProof(written: Headers): boolean {
  const names = Object.keys(written).map((name) => name.toLowerCase());
  return names.includes("authorization") || names.includes(CSRF_HEADER.toLowerCase());
}

function kindOf(document: DocumentNode | undefined, operationName: string | undefined): OperationTypeNode | undefined {
  // GraphiQL's own introspection comes without a document; it is a query.
  return document === undefined ? undefined : getOperationAST(document, operationName)?.operation;
}

function toOperation(params: Parameters<Fetcher>[0]): Operation {
  return {
    query: params.query,
    ...(params.operationName ? { operationName: params.operationName } : {}),
    ...(params.variables ? { variables: params.variables as Record<string, unknown> } : {}),
  };
}
