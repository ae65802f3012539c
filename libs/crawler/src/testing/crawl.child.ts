import { crawl, type CrawlOptions } from '../crawl.js';

/** Runs one crawl in a process of its own, to be killed: its options are the argument, as JSON. */
const result = await crawl(JSON.parse(process.argv[2] ?? '') as CrawlOptions);
process.stdout.write(JSON.stringify(result));
