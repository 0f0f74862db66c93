// An empty module, for import-empty.ts.
export {};
