/** The Python with NumPy that the tests read shards with. */
export function testPython(): string {
  return process.env.CARICATURE_PYTHON || 'python3';
}
