import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where the server serves what lies in `dist/assets/`. */
const ASSETS_URL = "/assets/console/";

/**
 * GraphiQL's style sheet carries 350 kB of fonts as data URLs. The reader's own fonts do as well, and without them the
 * page's Content-Security-Policy need not allow fonts at all.
 */
function withoutEmbeddedFonts(): Plugin {
  return {
    name: "without-embedded-fonts",
    enforce: "pre",
    transform(code, id) {
      return id.includes("/graphiql/dist/style.css") ? code.replaceAll(/@font-face\s*\{[^}]*\}/g, "") : undefined;
    },
  };
}

export default defineConfig({
  plugins: [withoutEmbeddedFonts()],
  // No plugin is needed to compile JSX; a page for developers can do without React's hot reload.
  esbuild: { jsx: "automatic" },
  experimental: {
    renderBuiltUrl: (file) => ASSETS_URL + file.replace(/^assets\//, ""),
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Nothing is inlined as a data URL, so that `script-src 'self'` and `img-src 'self'` hold.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: "graphiql/index.html",
      onwarn(warning, report) {
        // Libraries mark files with "use client" for server rendering; there is none here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") {
          report(warning);
        }
      },
    },
  },
  server: {
    // `npm run dev` shows the page at /graphiql/ with a Leadward running beside it.
    proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true } },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
