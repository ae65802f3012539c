import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** Types of the catalogue tables that the engine reads and the adapter does not know, with what stands in for them there. */
const CHAR = 18, NAME_ARRAY = 1003, TEXT = 25, TEXT_ARRAY = 1009;

/**
 * The SQL that turns the database at `url` into what `schemaFile` says; empty when it is that already.
 * The CLI's `migrate` would download an engine; Prisma publishes the same engine as WebAssembly, which runs here.
 * @param {{url: string, schemaFile: string}} options
 * @returns {Promise<string>}
 */
export async function diffSchema({ url, schemaFile }) {
  const files = [{ path: schemaFile, content: await readFile(schemaFile, 'utf8') }];
  const pool = new pg.Pool({ connectionString: url });
  try {
    const engine = await createEngine(pool, files);
    const { stdout, exitCode } = await engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: '.' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return exitCode === 0 ? '' : (stdout ?? '');
  } finally {
    await pool.end();
  }
}

async function createEngine(pool, files) {
  await (started ??= startEngine());
  const datamodels = files.map(({ path, content }) => [path, content]);
  const ignoreLog = () => {};
  return bindings.SchemaEngine.new({ datamodels }, ignoreLog, bindMigrationAwareSqlAdapterFactory(createAdapter(pool)));
}

let started; // once a process: the bindings keep views of one instance's memory

async function startEngine() {
  const file = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const module = await WebAssembly.compile(await readFile(file.replace(/\.js$/, '.wasm')));
  const instance = await WebAssembly.instantiate(module, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  // The engine tells here why it gave up, before it stops with a bare "unreachable".
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };
  instance.exports.__wbindgen_start();
}

function createAdapter(pool) {
  pg.types.setTypeParser(NAME_ARRAY, pg.types.getTypeParser(TEXT_ARRAY));
  const factory = new PrismaPg(pool);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => readCatalogue(await connect());
  return factory;
}

function readCatalogue(adapter) {
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  const characters = new WeakMap(); // query → its columns of type "char"
  adapter.performIO = async (query) => {
    const result = await performIO(query);
    characters.set(query, result.fields.flatMap(({ dataTypeID }, column) => (dataTypeID === CHAR ? [column] : [])));
    for (const field of result.fields) field.dataTypeID = { [CHAR]: TEXT, [NAME_ARRAY]: TEXT_ARRAY }[field.dataTypeID] ?? field.dataTypeID;
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const column of characters.get(query)) result.columnTypes[column] = ColumnTypeEnum.Character;
    return result;
  };
  return adapter;
}
