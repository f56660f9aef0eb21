import { useEffect } from 'preact/hooks';
import { html } from '../parts/html.js';
import { asProblem, call } from '../door.js';
import { buckets, place } from '../store.js';
import { BucketsPage } from './buckets.js';
import { DeletedPage } from './deleted.js';
import { FolderPage } from './folder.js';

/** Reads all buckets of the account. */
export async function readBuckets() {
  const all = [];
  /** @type {string | undefined} */
  let after;
  do {
    const page = await call('GET', '/buckets', { query: { after, limit: 1000 } });
    all.push(...page.items);
    after = page.next;
  } while (after && all.length < 10_000);
  buckets.value = all;
}

/** The files face: buckets, or a folder of one. */
export function FilesPage() {
  useEffect(() => {
    // Who cannot list sees why on the page of buckets.
    if (buckets.value === undefined) readBuckets().catch(asProblem);
  }, []);
  const bucket = place.value.path.split('/')[2];
  if (!bucket) return html`<${BucketsPage} />`;
  let name = bucket;
  try {
    name = decodeURIComponent(bucket);
  } catch {
    // A name that is no encoding is looked for as it is.
  }
  const prefix = place.value.query.get('in') ?? '';
  if (place.value.query.has('deleted')) return html`<${DeletedPage} key=${`d${name}\n${prefix}`} bucket=${name} prefix=${prefix} />`;
  return html`<${FolderPage} key=${`${name}\n${prefix}`} bucket=${name} prefix=${prefix} />`;
}
