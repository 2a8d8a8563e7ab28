import type { DraftDoc } from '@/api/types'

// Drafts on this computer: one IndexedDB store, keyed by account and draft, so two people at one desk never mix.

const NAME = 'hotline-desk'
const STORE = 'draft'
interface Row {
  key: string
  owner: string
  doc: DraftDoc
}

let opening: Promise<IDBDatabase> | null = null

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const req = indexedDB.open(NAME, 1)
    req.onupgradeneeded = () => req.result.createObjectStore(STORE, { keyPath: 'key' }).createIndex('owner', 'owner')
    req.onsuccess = () => resolve(req.result)
    req.onerror = () => {
      opening = null
      reject(req.error)
    }
  })
  return opening
}

async function run<T>(mode: IDBTransactionMode, fn: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open()
  return new Promise((resolve, reject) => {
    const tx = db.transaction(STORE, mode)
    const req = fn(tx.objectStore(STORE))
    tx.oncomplete = () => resolve(req.result)
    tx.onerror = () => reject(tx.error)
    tx.onabort = () => reject(tx.error)
  })
}

export const draftDB = {
  async list(owner: string): Promise<DraftDoc[]> {
    const rows = await run<Row[]>('readonly', (s) => s.index('owner').getAll(owner) as IDBRequest<Row[]>)
    return rows.map((r) => r.doc)
  },
  put: (owner: string, doc: DraftDoc) => run('readwrite', (s) => s.put({ key: `${owner}/${doc.id}`, owner, doc } satisfies Row)),
  remove: (owner: string, id: string) => run('readwrite', (s) => s.delete(`${owner}/${id}`)),
}
