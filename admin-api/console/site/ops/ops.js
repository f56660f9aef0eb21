import { html } from '../parts/html.js';
import { place } from '../store.js';
import { AccountsPage } from './accounts.js';
import { EventsPage } from './events.js';
import { JobsPage } from './jobs.js';
import { OverviewPage } from './overview.js';
import { SettingsPage } from './settings.js';
import { ShardsPage } from './shards.js';
import { TokensPage } from './tokens.js';

/** The operations face, for the root account: it looks, and changes things by an admin token. */
export function OpsPage() {
  const [, , page] = place.value.path.split('/');
  if (page === 'shards') return html`<${ShardsPage} />`;
  if (page === 'jobs') return html`<${JobsPage} />`;
  if (page === 'accounts') return html`<${AccountsPage} />`;
  if (page === 'tokens') return html`<${TokensPage} />`;
  if (page === 'settings') return html`<${SettingsPage} />`;
  if (page === 'events') return html`<${EventsPage} />`;
  return html`<${OverviewPage} />`;
}
