// Many names in one folder: scrolled, jumped to, and none moved under the hand.
import { check, open, run, same } from './drive.mjs';

const NAMES = Number(process.env.COFRE_CONSOLE_NAMES ?? 5_000);

run(async () => {
  const driver = await open();
  const { page } = driver;
  await driver.signIn();
  await driver.go('/files/many');
  await driver.until(() => document.querySelectorAll('table.files tbody th a').length > 20);
  const drawn = await page.$$eval('table.files tbody tr[data-index]', (all) => all.length);
  check(drawn < 200, `${drawn} rows are drawn`);
  same((await driver.rows())[0], 'name-0000000', 'the first row');
  await driver.audit('04-many');
  check((await driver.text('.summary')).includes(`${NAMES.toLocaleString('en')} objects in the bucket`), await driver.text('.summary'));

  // Scrolled to the end, page by page.
  const last = `name-${String(NAMES - 1).padStart(7, '0')}`;
  if (NAMES <= 20_000) {
    await driver.until((last) => {
      scrollTo(0, document.documentElement.scrollHeight);
      return [...document.querySelectorAll('table.files tbody th a')].some((one) => one.textContent === last);
    }, last);
    check((await page.$$eval('table.files tbody tr[data-index]', (all) => all.length)) < 200, 'only what is seen is drawn');
    await page.evaluate(() => scrollTo(0, 0));
    await driver.until(() => [...document.querySelectorAll('table.files tbody th a')].some((one) => one.textContent === 'name-0000000'));
  }

  // By keys, the focus goes along.
  await page.focus('table.files tbody tr[tabindex="0"]');
  for (let time = 0; time < 12; time += 1) await page.keyboard.press('PageDown');
  await driver.until(() => document.activeElement?.getAttribute('data-index') === '120');
  same(await page.evaluate(() => document.activeElement.querySelector('th a').textContent), 'name-0000120', 'the row with the focus');

  // Any name is a few letters away.
  await page.type('input[type=search]', last);
  await driver.hasRows(last);
  await driver.quiet();
  await driver.browser.close();
});
