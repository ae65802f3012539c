import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { listPeople } from './collection.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'caricature-people-'));
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
}

const photos = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, '']));

describe('folders of people', () => {
  it('lists people and photos by name, and only photos', async () => {
    await write(photos('bo/2.png', 'bo/1.JPG', 'al/x.webp', 'al/traits.json', 'al/.hidden.jpg', 'loose.jpg', '.trash/a.jpg'));
    expect(await listPeople({ dir })).toEqual([
      { name: 'al', photos: ['al/x.webp'] },
      { name: 'bo', photos: ['bo/1.JPG', 'bo/2.png'] },
    ]);
  });

  it('leaves out people with few photos, keeps the most photographed, and caps photos a person', async () => {
    await write(photos('a/1.jpg', 'b/1.jpg', 'b/2.jpg', 'c/1.jpg', 'c/2.jpg', 'c/3.jpg', 'd/1.jpg', 'd/2.jpg', 'd/3.jpg', 'd/4.jpg'));
    const people = await listPeople({ dir, minImagesPerPerson: 2, maxPeople: 2, maxImagesPerPerson: 3 });
    expect(people.map((person) => [person.name, person.photos.length])).toEqual([['c', 3], ['d', 3]]);
  });

  it('says how many people were left and what to change when they are too few', async () => {
    await write(photos('a/1.jpg', 'a/2.jpg', 'b/1.jpg'));
    await expect(listPeople({ dir, minImagesPerPerson: 2 })).rejects.toMatchObject({
      code: 'TooFewPeople',
      message: expect.stringMatching(/1 people with at least 2 photos \(of 2 in all\).*2 are needed.*minImagesPerPerson/),
    });
  });

  it('says what is wrong with an empty folder, one without people, and one that is not there', async () => {
    await expect(listPeople({ dir })).rejects.toMatchObject({ code: 'NoPeople', message: expect.stringContaining('a folder a person') });
    await write(photos('1.jpg', '2.jpg'));
    await expect(listPeople({ dir })).rejects.toMatchObject({ code: 'NoPeople' });
    await expect(listPeople({ dir: join(dir, 'nowhere') })).rejects.toMatchObject({ code: 'NoPhotos', message: expect.stringContaining('ENOENT') });
  });
});

describe('other layouts', () => {
  it('Lfw takes only the numbered photos of the person', async () => {
    await write(photos('Al_B/Al_B_0002.jpg', 'Al_B/Al_B_0001.jpg', 'Al_B/other.jpg', 'C_D/C_D_0001.jpg'));
    expect((await listPeople({ dir, layout: 'Lfw' }))[0]!.photos).toEqual(['Al_B/Al_B_0001.jpg', 'Al_B/Al_B_0002.jpg']);
  });

  it('MsraCfw is found in the folder that its archive makes', async () => {
    const inner = 'thumbnails_features_deduped_publish';
    await write(photos(`${inner}/A B/1.jpg`, `${inner}/C/1.jpg`));
    expect(await listPeople({ dir, layout: 'MsraCfw' })).toEqual([
      { name: 'A B', photos: [`${inner}/A B/1.jpg`] },
      { name: 'C', photos: [`${inner}/C/1.jpg`] },
    ]);
  });

  it('CelebA reads who is on each photo from its identities', async () => {
    await write({ 'identity_CelebA.txt': '000002.jpg 7\n000001.jpg 7\r\n000003.jpg 12\n', ...photos('img_align_celeba/000001.jpg') });
    expect(await listPeople({ dir, layout: 'CelebA' })).toEqual([
      { name: '12', photos: ['img_align_celeba/000003.jpg'] },
      { name: '7', photos: ['img_align_celeba/000001.jpg', 'img_align_celeba/000002.jpg'] },
    ]);
  });

  it('Labels reads a table, with quotes', async () => {
    await write({ 'labels.csv': 'file,name\na.jpg,"Doe, ""J"""\r\nsub/b.jpg,Bo\n\n"c,1.jpg",Bo\n' });
    expect(await listPeople({ dir, layout: 'Labels' })).toEqual([
      { name: 'Bo', photos: ['c,1.jpg', 'sub/b.jpg'] },
      { name: 'Doe, "J"', photos: ['a.jpg'] },
    ]);
  });

  it.each([
    ['Labels', 'labels.csv', 'name,file\n', 'must begin with'],
    ['Labels', 'labels.csv', 'file,name\na.jpg\n', 'line 2'],
    ['Labels', 'labels.csv', 'file,name\n../../etc/passwd.jpg,x\n', 'outside the folder'],
    ['CelebA', 'identity_CelebA.txt', '000001.jpg\n', 'line 1'],
    ['CelebA', 'identity_CelebA.txt', '/etc/passwd 1\n../../x.jpg 2\n', 'outside the folder'],
  ] as const)('%s refuses a bad %s (%j)', async (layout, file, text, message) => {
    await write({ [file]: text });
    await expect(listPeople({ dir, layout })).rejects.toMatchObject({ code: 'LabelsUnreadable', message: expect.stringContaining(message) });
  });

  it.each(['Labels', 'CelebA'] as const)('%s asks for its list when it is not there', async (layout) => {
    await expect(listPeople({ dir, layout })).rejects.toMatchObject({ code: 'LabelsUnreadable' });
  });
});
