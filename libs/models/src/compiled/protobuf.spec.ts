import { expect, test } from 'vitest';
import { bytes, float, integer, message } from './protobuf.js';

// The bytes are those of the examples in Protocol Buffers' description of its encoding, or follow from it.
test.each<[string, Buffer, number[]]>([
  ['an integer', integer(1, 150), [0x08, 0x96, 0x01]],
  ['a number below 0', integer(1, -1), [0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01]],
  ['a bool', integer(5, true), [0x28, 0x01]],
  ['a float', float(4, 1), [0x25, 0x00, 0x00, 0x80, 0x3f]],
  ['a string', bytes(2, 'testing'), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]],
  ['a message', message(3, integer(1, 150)), [0x1a, 0x03, 0x08, 0x96, 0x01]],
  ['a field of a high number', integer(16, 1), [0x80, 0x01, 0x01]],
])('%s', (_kind, encoded, wanted) => {
  expect([...encoded]).toEqual(wanted);
});
