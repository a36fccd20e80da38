import { GraphiQL } from "graphiql";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createFetcher, pageServer } from "./fetcher";

import "graphiql/style.css";
import "./page.css";

const WELCOME = `# Who am I to the server? Sign in with the signIn mutation, or write
# { "Authorization": "Bearer …" } into the Headers tab below.
query WhoAmI {
  viewer {
    __typename
  }
}
`;

const root = document.getElementById("graphiql");
if (root === null) {
  throw new Error("The page has no element with the id graphiql.");
}

createRoot(root).render(
  <StrictMode>
    <GraphiQL
      fetcher={createFetcher(pageServer(window.location, "/graphql"))}
      defaultQuery={WELCOME}
      // Queries and variables may name patients, so they are forgotten with the tab and never kept on a shared computer.
      storage={window.sessionStorage}
      shouldPersistHeaders={false}
      showPersistHeadersSettings={false}
    >
      <GraphiQL.Logo>
        <a className="leadward-logo" href="/">
          Leadward
        </a>
      </GraphiQL.Logo>
    </GraphiQL>
  </StrictMode>,
);
