import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { expectTypeOf } from "vitest";
import * as z from "zod";
import { bytes, type Codec, type Decoder, type Encoder, json, text } from "./codec.ts";
import type { StandardSchema } from "./standard-schema.ts";

interface Order {
  id: number;
  note?: string | undefined;
}

// A schema gives both types.
const zodOrder = z.object({ id: z.number(), note: z.string().optional() });
expectTypeOf(json(zodOrder)).toExtend<Codec<Order>>();
expectTypeOf(json(v.object({ id: v.number() }))).toEqualTypeOf<Codec<{ id: number }, { id: number }>>();
expectTypeOf(json(z.object({ id: z.number().default(1) }))).toEqualTypeOf<Codec<{ id: number }, { id?: number | undefined }>>();
expectTypeOf(json(z.string().transform(Number))).toEqualTypeOf<Codec<number, string>>();

// Without one the type is what the program says, or what the place expects.
expectTypeOf(json()).toEqualTypeOf<Codec<unknown>>();
expectTypeOf(json<Order>()).toEqualTypeOf<Codec<Order>>();
const expected: { readonly codec: Codec<Order> } = { codec: json() };
expectTypeOf(expected.codec).toEqualTypeOf<Codec<Order>>();

expectTypeOf(bytes()).toEqualTypeOf<Codec<Uint8Array>>();
expectTypeOf(text()).toEqualTypeOf<Codec<string>>();

// A producer may be given less, a consumer may expect less; never the other way round.
expectTypeOf<Encoder<string | number>>().toExtend<Encoder<string>>();
expectTypeOf<Encoder<string>>().not.toExtend<Encoder<string | number>>();
expectTypeOf<Decoder<string>>().toExtend<Decoder<string | number>>();
expectTypeOf<Decoder<string | number>>().not.toExtend<Decoder<string>>();
// @ts-expect-error a codec of orders does not take text
json(zodOrder).encode("text");

// Our words for the specification are the specification's.
expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>();
