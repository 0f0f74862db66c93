// Checks which workspace package may import which (the arrows between packages); prints each violation and exits 1 if there is one.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const core = ["@seaway/core", "@seaway/core/driver", "@seaway/core/memory"];

/** By package: what its src may import of the workspace, and what its tests may import besides. Any package not named here is a driver. */
const arrows = {
  core: { src: [], tests: core },
  testkit: { src: core, tests: ["@seaway/testkit"] },
  cli: { src: [...core, "@seaway/file", "@seaway/stdio"], tests: ["@seaway/cli", "@seaway/testkit"] },
};
const driver = (/** @type {string} */ name) => ({ src: ["@seaway/core/driver"], tests: [...core, `@seaway/${name}`, "@seaway/testkit"] });

/** Core knows no broker: besides Node this is all that its src may import from outside. */
const coreMayUse = ["@standard-schema/spec"];

/**
 * @param {string} root a folder with `packages/`
 * @returns {string[]} one line per violation
 */
export function findViolations(root) {
  const violations = [];
  for (const path of globSync("packages/*/package.json", { cwd: root })) {
    const folder = join(root, dirname(path));
    const name = dirname(path).split(sep)[1] ?? "";
    const allowed = Object.hasOwn(arrows, name) ? arrows[/** @type {keyof typeof arrows} */ (name)] : driver(name);
    for (const file of globSync("{src,test}/**/*.ts", { cwd: folder })) {
      const isTest = file.startsWith("test") || /\.test(-d)?\.ts$/.test(file);
      const mayImport = isTest ? [...allowed.src, ...allowed.tests] : allowed.src;
      for (const { specifier, line, isAugmentation } of importsOf(join(folder, file))) {
        const at = `${relative(root, join(folder, file))}:${line}: `;
        const outside = specifier.startsWith(".") && !resolve(folder, dirname(file), specifier).startsWith(folder + sep);
        if (outside) violations.push(`${at}"${specifier}" leaves the package; import the other package by its name`);
        else if (specifier.startsWith("@seaway/") && !mayImport.includes(specifier) && !(isAugmentation && specifier === "@seaway/core"))
          violations.push(
            `${at}${name} ${isTest ? "tests" : "src"} may not import "${specifier}" (only ${mayImport.join(", ") || "none"})`,
          );
        else if (name === "core" && !isTest && !/^(\.|node:|@seaway\/)/.test(specifier) && !coreMayUse.includes(specifier))
          violations.push(`${at}core may not import "${specifier}": it knows no broker and has no other dependency`);
      }
    }
    const manifest = JSON.parse(readFileSync(join(root, path), "utf8"));
    const needed = new Set((name === "core" ? [] : ["@seaway/core", ...allowed.src]).map((specifier) => specifier.split("/", 2).join("/")));
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      const isOptional = manifest.peerDependenciesMeta?.[dependency]?.optional === true;
      if (dependency.startsWith("@seaway/") && !needed.has(dependency) && !(name === "core" && isOptional))
        violations.push(`${path}: ${name} may not depend on "${dependency}"`);
    }
  }
  return violations;
}

/** Every import, export from, `import()` and import type of a file. `import type {} from` only makes a module known for its augmentation. */
function importsOf(/** @type {string} */ path) {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  /** @type {{ specifier: string, line: number, isAugmentation: boolean }[]} */
  const found = [];
  const visit = (/** @type {ts.Node} */ node) => {
    /** @type {ts.Node | undefined} */
    let specifier;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) specifier = node.argument.literal;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) specifier = node.arguments[0];
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      const bindings = ts.isImportDeclaration(node) && node.importClause?.isTypeOnly ? node.importClause.namedBindings : undefined;
      const isAugmentation = bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.length === 0;
      found.push({ specifier: specifier.text, line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1, isAugmentation });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const violations = findViolations(process.cwd());
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
