// What an operator looks at, and what others do not see.
import { check, open, run, same } from './drive.mjs';

run(async () => {
  const driver = await open();
  const { page } = driver;
  await driver.signIn();
  same((await driver.call('POST', '/buckets', { name: 'some' })).status, 201, 'making a bucket');
  for (const language of ['en', 'pt-BR']) {
    await page.evaluate((language) => localStorage.setItem('language', language), language);
    for (const [name, href, ready] of [['30-overview', '/ops', '.promises'], ['32-shards', '/ops/shards', 'table'], ['34-jobs', '/ops/jobs', 'main :is(table, ul)'], ['35-events', '/ops/events', 'table.events']]) {
      await driver.go(href);
      await page.waitForSelector(ready);
      await driver.audit(`${name}-${language}`);
    }
  }
  await page.evaluate(() => localStorage.setItem('language', 'en'));

  // An event comes by itself.
  await driver.go('/ops/events');
  await driver.until(() => document.querySelector('.live'));
  same((await driver.call('POST', '/buckets', { name: 'another' })).status, 201, 'making a bucket');
  await driver.until(() => [...document.querySelectorAll('table.events tbody tr')].some((one) => one.textContent.includes('bucket.created') && one.textContent.includes('another')));

  // Another account sees files, and no operations.
  await page.click('.spine [aria-haspopup=menu]');
  await driver.press('Sign out', '[popover]:popover-open');
  await page.waitForSelector('#key');
  await driver.signIn(process.env.OTHER_ACCESS_KEY_ID, process.env.OTHER_SECRET_ACCESS_KEY);
  same(await driver.texts('.spine a.at'), ['Files'], 'faces of another account');
  driver.expected.add('403');
  await driver.go('/files/some');
  await page.waitForSelector('.empty[role=alert]');
  check((await driver.text('.empty')).includes('You may not see this'), 'what may not be seen');
  await driver.audit('12-forbidden');
  await driver.quiet();
  await driver.browser.close();
});
