// Type-checks a text as if it were a module of the docs package, under the rules that users of strict TypeScript have.
import { dirname, join } from "node:path";
import ts from "typescript";

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  customConditions: ["@seaway/source"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
};

export type TypeChecker = (code: string) => string[];

/**
 * A checker that parses the library and the packages once. Each text is a program of its own, so that what one example imports
 * (a driver's additions to the option types) is not there for the next.
 */
export function createTypeChecker(docsFolder: string): TypeChecker {
  const path = join(docsFolder, "test", "example.ts");
  const host = ts.createCompilerHost(options, true);
  const parsed = new Map<string, ts.SourceFile | undefined>();
  const readSourceFile = host.getSourceFile;
  let text = "";
  host.getCurrentDirectory = () => dirname(path);
  host.fileExists = (name) => name === path || ts.sys.fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    if (name === path)
      return ts.createSourceFile(name, text, { languageVersion: ts.ScriptTarget.ES2024, impliedNodeFormat: ts.ModuleKind.ESNext }, true);
    if (!parsed.has(name)) parsed.set(name, readSourceFile(name, ...rest));
    return parsed.get(name);
  };

  return (code) => {
    text = code;
    const program = ts.createProgram([path], options, host);
    const example = program.getSourceFile(path);
    const diagnostics = [...program.getSyntacticDiagnostics(example), ...program.getSemanticDiagnostics(example)];
    return diagnostics.map(({ file, start, messageText }) => {
      const line = file !== undefined && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `line ${line} of the example: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  };
}
