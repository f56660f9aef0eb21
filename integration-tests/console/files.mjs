// What people do with files: buckets, folders, uploads, previews, moves, versions, deletions and what brings them back.
import { mkdirSync, writeFileSync } from 'node:fs';
import { check, file, open, run, same } from './drive.mjs';

/** A picture of one pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');

run(async () => {
  writeFileSync(file('letter.txt'), 'dear grandmother');
  writeFileSync(file('photo.png'), PNG);
  mkdirSync(file('trip/day 1'), { recursive: true });
  for (const [name, content] of [['trip/map.txt', 'north'], ['trip/day 1/note.txt', 'rain']]) writeFileSync(file(name), content);
  const driver = await open();
  const { page } = driver;
  await driver.signIn();

  await driver.press('New bucket');
  await page.waitForSelector('#bucket-name');
  await driver.audit('03-new-bucket');
  driver.expected.add('400');
  await page.type('#bucket-name', 'Wrong Name');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#bucket-name-wrong');
  await driver.audit('03-new-bucket-wrong');
  await page.$eval('#bucket-name', (one) => one.select());
  await page.type('#bucket-name', 'family');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.empty');
  await driver.audit('03-empty-folder');

  // A folder, and files by the picker.
  await driver.press('New folder', 'header');
  await driver.type('#folder-name', 'Photos');
  await driver.audit('03-new-folder');
  await page.keyboard.press('Enter');
  await driver.hasRows('Photos');
  const input = await page.$('input[type=file][multiple]');
  await input.uploadFile(file('letter.txt'), file('photo.png'));
  await driver.hasRows('Photos', 'letter.txt', 'photo.png');
  await driver.audit('06-uploads');
  await driver.press('Fold', '.tray');

  // A folder that is dropped.
  const ground = await (await page.$('.drop-ground')).boundingBox();
  const at = { x: ground.x + ground.width / 2, y: ground.y + 200 };
  const session = await page.createCDPSession();
  const data = { items: [], files: [file('trip')], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, ...at, data });
  await driver.hasRows('Photos', 'trip', 'letter.txt', 'photo.png');
  await driver.press('trip', 'table.files');
  await driver.hasRows('day 1', 'map.txt');
  check((await page.title()) === 'trip · Cofre', await page.title());
  await driver.press('Count what is below', '.summary');
  await driver.until(() => document.querySelector('.summary').textContent.includes('2 files, 9 B'));
  await page.goBack();
  await driver.hasRows('Photos', 'trip', 'letter.txt', 'photo.png');
  await driver.press('Fold', '.tray');

  // A name that is taken: keep both.
  await (await page.$('input[type=file][multiple]')).uploadFile(file('letter.txt'));
  driver.expected.add('412');
  await driver.press('Keep both', '.tray');
  await driver.hasRows('Photos', 'trip', 'letter (2).txt', 'letter.txt', 'photo.png');
  await driver.press('Fold', '.tray');

  // Previews: a picture, and text as text.
  await driver.press('photo.png', 'table.files');
  await driver.until(() => document.querySelector('dialog.preview img')?.naturalWidth === 1);
  await driver.audit('10-preview-picture');
  await page.keyboard.press('ArrowLeft');
  await driver.until(() => document.querySelector('dialog.preview pre')?.textContent === 'dear grandmother');
  await driver.audit('10-preview-text');
  await driver.closeDialog();

  // Details: metadata and tags are set, and the bytes stay.
  await driver.rowMenu('letter.txt', 'Details');
  await driver.press('Tags · 0', 'dialog');
  await page.type('#tags-0', 'person');
  const values = await page.$$('dialog details[open] [aria-label="Value 1"]');
  await values.at(-1).type('grandmother');
  await driver.audit('07-details');
  await driver.press('Save', 'dialog details[open]');
  await driver.until(() => document.querySelector('.toast')?.textContent.includes('Saved.'));
  same((await driver.call('GET', '/buckets/family/about?key=letter.txt')).json.tags, { person: 'grandmother' }, 'tags');
  await driver.closeDialog();

  // A link, and what it leads to.
  await driver.rowMenu('letter.txt', 'Share');
  await driver.until(() => document.querySelector('#share-url')?.value.startsWith('http') && document.querySelector('svg.qr'));
  await driver.audit('08-share');
  const link = await page.$eval('#share-url', (one) => one.value);
  const came = await fetch(link);
  same([came.status, await came.text()], [200, 'dear grandmother'], 'what the link leads to');
  check(came.headers.get('content-disposition').startsWith('attachment'), 'a link that downloads');
  await driver.closeDialog();

  // Renamed, moved, copied.
  await driver.rowMenu('letter (2).txt', 'Rename');
  await page.$eval('#new-name', (one) => one.select());
  await page.type('#new-name', 'a letter.txt');
  await driver.audit('04-rename');
  await page.keyboard.press('Enter');
  await driver.hasRows('Photos', 'trip', 'a letter.txt', 'letter.txt', 'photo.png');
  await driver.rowMenu('photo.png', 'Move to…');
  await driver.press('Photos', 'dialog');
  await driver.until(() => document.querySelector('dialog strong').textContent === 'Photos/');
  await driver.audit('04-move');
  await driver.press('Move here', 'dialog');
  await driver.hasRows('Photos', 'trip', 'a letter.txt', 'letter.txt');
  await driver.rowMenu('trip', 'Copy to…');
  await driver.press('Photos', 'dialog');
  await driver.until(() => document.querySelector('dialog strong').textContent === 'Photos/');
  await driver.press('Copy here', 'dialog');
  await driver.until(() => !document.querySelector('dialog[open]'));

  // By keyboard alone: mark two, delete, undo, bring back.
  await driver.go('/files/family');
  await driver.hasRows('Photos', 'trip', 'a letter.txt', 'letter.txt');
  await page.focus('table.files tbody tr[tabindex="0"]');
  await page.keyboard.press('x');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('x');
  await page.waitForSelector('.selbar');
  await driver.audit('05-selection');
  await page.keyboard.press('Delete');
  await driver.hasRows('a letter.txt', 'letter.txt');
  await driver.audit('05-undo');
  await driver.press('Undo', '.toasts');
  await driver.hasRows('Photos', 'trip', 'a letter.txt', 'letter.txt');

  // Overwritten, and yesterday's version brought back.
  writeFileSync(file('letter.txt'), 'oops');
  await (await page.$('input[type=file][multiple]')).uploadFile(file('letter.txt'));
  await driver.press('Replace', '.tray');
  await driver.until(() => document.querySelector('.tray h2').textContent === 'All is uploaded');
  await driver.press('Fold', '.tray');
  await driver.rowMenu('letter.txt', 'Versions');
  await driver.audit('07-versions');
  const restores = await driver.texts('dialog tbody button');
  check(restores.length >= 1 && restores.every((one) => one === 'Restore'), restores);
  await page.evaluate(() => document.querySelector('dialog tbody button').click());
  await driver.until(() => document.querySelector('.toast')?.textContent.includes('nothing was lost'));
  await driver.closeDialog();
  same((await driver.call('GET', '/buckets/family/text?key=letter.txt')).json.text, 'dear grandmother', 'the version that is current');

  // Deleted things are shown, and brought back.
  await driver.rowMenu('a letter.txt', 'Delete');
  await driver.hasRows('Photos', 'trip', 'letter.txt');
  await driver.press('More actions of the folder');
  await driver.press('Deleted', '[popover]:popover-open');
  await page.waitForSelector('table.cards');
  await driver.audit('12-deleted');
  check((await driver.texts('table.cards tbody th')).includes('a letter.txt'), 'what was deleted');
  await driver.press('Bring back a letter.txt');
  await driver.until(() => ![...document.querySelectorAll('table.cards tbody th')].some((one) => one.textContent === 'a letter.txt'));
  await driver.go('/files/family');
  await driver.hasRows('Photos', 'trip', 'a letter.txt', 'letter.txt');

  // Found by a part of a name, streamed.
  await driver.press('Holds', '.tools');
  await page.type('input[type=search]', 'NOTE');
  await driver.hasRows('Photos/trip/day 1/note.txt', 'trip/day 1/note.txt');
  await driver.audit('04-search');
  await driver.press('Begins with', '.tools');
  await page.$eval('input[type=search]', (one) => one.select());
  await page.type('input[type=search]', 'zzz');
  await page.waitForSelector('.empty');
  await driver.audit('12-nothing-found');

  // A folder as an archive.
  const zip = await page.evaluate(async () => [...new Uint8Array(await (await fetch('/console/v1/buckets/family/zip?prefix=trip%2F')).arrayBuffer())]);
  writeFileSync(file('trip.zip'), Buffer.from(zip));
  const { execFileSync } = await import('node:child_process');
  const told = execFileSync('python3', ['-c', 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(sorted((i.filename, z.read(i).decode()) for i in z.infolist()))', file('trip.zip')]);
  same(told.toString().trim(), "[('trip/day 1/note.txt', 'rain'), ('trip/map.txt', 'north')]", 'the archive');

  // Where nothing is kept, a question comes first.
  same((await driver.call('POST', '/buckets', { name: 'plain' })).status, 201, 'making a bucket');
  await driver.put('plain', 'once.txt', 'once');
  await driver.go('/files/plain');
  await driver.hasRows('once.txt');
  await page.focus('table.files tbody tr[tabindex="0"]');
  await page.keyboard.press('Delete');
  await page.waitForSelector('dialog[open]');
  check((await driver.text('dialog')).includes('cannot be undone'), 'the question');
  same(await page.evaluate(() => document.activeElement.textContent), 'Cancel', 'what has the focus');
  await driver.audit('05-delete-question');
  await driver.press('Delete 1', 'dialog');
  await page.waitForSelector('.empty');

  // What is not there, and what may not be seen.
  driver.expected.add('404');
  await driver.go('/files/nothing-here');
  await page.waitForSelector('.empty[role=alert]');
  await driver.audit('12-gone');
  await driver.quiet();
  await driver.keepsNoSecret('letter.txt', 'Photos');
  await driver.browser.close();
});
