// ESLint does one thing here: no promise is left floating. Biome's rule does not see promises of Node's own modules (docs/decisions/001).
import { parser, plugin } from "typescript-eslint";

export default [
  { ignores: ["**/dist/**", "**/*.js", "**/*.mjs"] },
  {
    files: ["{packages,bench,examples,docs}/**/*.ts"],
    languageOptions: { parser, parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@typescript-eslint": plugin },
    rules: { "@typescript-eslint/no-floating-promises": "error" },
  },
];
