/** Headers in their plain form, as they cross the seam between core and drivers. */

/** One header value: text, or bytes where they are not valid UTF-8. */
export type HeaderValue = string | Uint8Array;

/** Name and value pairs in order; a name may stand more than once. */
export type HeaderEntries = readonly (readonly [name: string, value: HeaderValue])[];
