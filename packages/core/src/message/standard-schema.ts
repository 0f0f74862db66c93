/**
 * The interface that validation libraries share: Standard Schema, version 1 (https://standardschema.dev). Written down here as the
 * specification suggests, so that no package is needed for it.
 */

/** A schema of any library that follows the specification: zod, valibot, arktype and others. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** For the type checker only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The outcome of a validation: the value, or what is wrong with it. */
export type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Issues listed in a text; what is beyond is counted. */
const MAX_ISSUES = 5;

/** Issues in one line: `items[0].price: Expected number; customer: Required`. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  const listed = issues.slice(0, MAX_ISSUES).map((issue) => {
    const path = describePath(issue.path ?? []);
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  if (issues.length > MAX_ISSUES) listed.push(`and ${issues.length - MAX_ISSUES} more`);
  return listed.join("; ");
}

function describePath(path: NonNullable<SchemaIssue["path"]>): string {
  let text = "";
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment;
    if (typeof key === "string" && /^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`;
  }
  return text;
}
