// What an operator changes, by an admin token that the page holds for as long as they stay.
import { check, file, open, run, same } from './drive.mjs';

const TOKEN = process.env.ADMIN_TOKEN;

run(async () => {
  const driver = await open();
  const { page } = driver;
  await driver.signIn();

  // Without a token a page looks, and has nothing to press.
  await driver.go('/ops/tokens');
  await page.waitForSelector('.empty');
  await driver.audit('37-tokens-locked');
  await driver.press('Act as operator', 'header');
  await driver.type('#act-token', 'wrong');
  driver.expected.add('401');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#act-wrong');
  await driver.audit('37-token-wrong');
  await page.$eval('#act-token', (one) => one.select());
  await page.type('#act-token', TOKEN);
  await page.keyboard.press('Enter');
  await page.waitForSelector('table');
  await driver.audit('37-tokens');
  await driver.keepsNoSecret(TOKEN);

  // A token is made, told once, and revoked.
  await driver.press('New token', 'header');
  await driver.type('#token-note', 'for a script');
  await driver.press('Make token', 'dialog');
  await page.waitForSelector('#once-0');
  await driver.audit('37-token-made');
  const made = await page.$eval('#once-0', (one) => one.value);
  same((await page.evaluate(async (token) => (await fetch('/v1/jobs', { headers: { authorization: `Bearer ${token}` } })).status, made)), 200, 'what the new token may do');
  await driver.press('I kept it', 'dialog');
  await driver.press('Revoke for a script');
  await driver.press('Revoke', 'dialog');
  await driver.until(() => !document.body.textContent.includes('for a script'));
  same((await page.evaluate(async (token) => (await fetch('/v1/jobs', { headers: { authorization: `Bearer ${token}` } })).status, made)), 401, 'a token that is revoked');

  // An account with its key, a quota, and no more.
  await driver.press('Accounts', '.nav');
  await page.waitForSelector('table.cards tbody tr');
  await driver.press('New account', 'header');
  await driver.type('#account-name', 'marina');
  await driver.audit('36-new-account');
  await driver.press('Make account', 'dialog');
  await page.waitForSelector('#once-1');
  await driver.audit('37-key-made');
  const key = await page.$$eval('dialog input', (all) => all.map((one) => one.value));
  await page.keyboard.press('Escape');
  check(await page.$('#once-1'), 'a secret that is told once is not lost by a slip');
  await driver.press('I kept it', 'dialog');
  await driver.press('marina', 'table');
  await driver.until(() => document.querySelector('main h1').textContent === 'marina');
  await driver.audit('37-account');
  await driver.press('Actions of marina', 'header');
  await driver.press('Set the quota', '[popover]:popover-open');
  await driver.type('#quota-gib', '2');
  await driver.press('Save', 'dialog');
  await driver.until(() => document.querySelector('.facts').textContent.includes('/ 2 GiB'));
  await driver.press('New key', 'header');
  await page.waitForSelector('#once-1');
  await driver.press('I kept it', 'dialog');
  await driver.until(() => document.querySelectorAll('table.cards tbody tr').length === 2);
  await driver.press(`Actions of ${key[0]}`);
  await driver.press('Disable', '[popover]:popover-open');
  await driver.until(() => document.querySelector('table.cards').textContent.includes('disabled'));
  await driver.press('Actions of marina', 'header');
  await driver.press('Delete the account', '[popover]:popover-open');
  await page.waitForSelector('#sure-typed');
  await driver.audit('36-delete-account');
  await driver.type('#sure-typed', 'marina');
  await driver.press('Delete the account', 'dialog');
  await driver.until(() => location.pathname === '/ops/accounts');
  await driver.until(() => !document.querySelector('table.cards')?.textContent.includes('marina'));
  await driver.audit('36-accounts');

  // A job is paused, said so, and goes on.
  await driver.press('Jobs', '.nav');
  await driver.press('Actions of scrub', 'main');
  await driver.press('Pause', '[popover]:popover-open');
  await driver.until(() => [...document.querySelectorAll('table.cards tbody tr')].some((one) => one.textContent.includes('scrub') && one.textContent.includes('paused')));
  await driver.audit('34-job-paused');
  await driver.press('Overview', '.nav');
  await driver.until(() => document.querySelector('.notice')?.textContent.includes('settings hold'));
  await driver.press('Jobs', '.nav');
  await driver.press('Actions of scrub', 'main');
  await driver.press('Resume', '[popover]:popover-open');
  await driver.until(() => ![...document.querySelectorAll('table.cards tbody tr')].some((one) => one.textContent.includes('scrub')));

  // A shard answers, is added and weighed.
  await driver.press('Disks', '.nav');
  await driver.press('Actions of shard 1', 'main');
  await driver.audit('32-shard-menu');
  await driver.press('Probe', '[popover]:popover-open');
  await driver.until(() => document.querySelector('.toasts').textContent.includes('It answers'));
  await driver.press('Add a shard', 'header');
  await driver.type('#shard-path', file('another disk'));
  await driver.audit('32-add-shard');
  await driver.press('Add a shard', 'dialog');
  await driver.until(() => document.querySelector('table.cards')?.textContent.includes('another disk'));
  await driver.press('Actions of shard 2', 'main');
  await driver.press('Drain', '[popover]:popover-open');
  await driver.until(() => document.querySelector('table.cards').textContent.includes('drained: it can be removed'));
  await driver.audit('33-drained');
  await driver.press('Actions of shard 2', 'main');
  await driver.press('Remove', '[popover]:popover-open');
  await driver.type('#sure-typed', '2');
  await driver.press('Remove', 'dialog');
  await driver.until(() => !document.querySelector('table.cards').textContent.includes('another disk'));

  // A setting is changed, compared and brought back.
  await driver.press('Settings', '.nav');
  await page.waitForSelector('#settings-text');
  const before = await page.$eval('#settings-text', (one) => one.value);
  const change = (text) => page.$eval('#settings-text', (one, text) => { one.value = text; one.dispatchEvent(new Event('input', { bubbles: true })); }, text);
  await change('{');
  await driver.press('Save', 'form');
  await page.waitForSelector('#settings-wrong');
  const document_ = JSON.parse(before);
  document_.log_level = 'debug';
  await change(JSON.stringify(document_, null, 2));
  await page.type('#settings-note', 'to see more');
  await driver.audit('39-settings-changed');
  await driver.press('Save', 'form');
  await driver.until(() => document.querySelector('table.cards')?.textContent.includes('to see more'));
  const revisions = await driver.texts('table.cards tbody th');
  const first = Number(/^\d+/.exec(revisions[1])[0]);
  await driver.press(`What changed since revision ${first}`);
  await driver.until(() => document.body.textContent.includes('log_level'));
  await driver.audit('39-settings-history');
  await driver.press(`Bring back revision ${first}`);
  await driver.press('Bring back', 'dialog');
  await driver.until((before) => document.querySelector('#settings-text').value === before, before);

  // What lets someone act goes when they leave.
  await driver.press('Files', '.spine');
  await driver.press('Operations', '.spine');
  await driver.until(() => [...document.querySelectorAll('header button')].some((one) => one.textContent === 'Act as operator'));
  await driver.quiet();
  await driver.browser.close();
});
