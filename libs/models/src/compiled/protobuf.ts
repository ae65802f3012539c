// Protocol Buffers' wire format, as much of it as TensorFlow's graphs need. A message is its fields one after another.

const VARINT = 0;
const LENGTH = 2;
const FOUR_BYTES = 5;

/** An int64, an enum or a bool. */
export function integer(field: number, value: number | boolean): Buffer {
  return Buffer.concat([tag(field, VARINT), varint(BigInt(value))]);
}

export function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([tag(field, FOUR_BYTES), bytes]);
}

/** A string, or bytes. */
export function bytes(field: number, value: string | Uint8Array): Buffer {
  const content = Buffer.from(value as Uint8Array);
  return Buffer.concat([tag(field, LENGTH), varint(BigInt(content.length)), content]);
}

/** A message in a message. */
export function message(field: number, ...fields: Buffer[]): Buffer {
  return bytes(field, Buffer.concat(fields));
}

function tag(field: number, wireType: number): Buffer {
  return varint(BigInt((field << 3) | wireType));
}

/** Seven bits a byte, the lowest first; what is below 0 as the 64 bits of its two's complement. */
function varint(value: bigint): Buffer {
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...digits, Number(rest)]);
}
