export function diffSchema(options: { url: string; schemaFile: string }): Promise<string>;
