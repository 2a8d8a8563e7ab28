export type What = 'urge' | 'note'
/** A ticket of the citizen on the line: the seat's own to open, or one that it may only urge and add to while they ask for it. */
export interface Known {
  id: string
  number: string
  title: string
  opens?: boolean
  asks?: string[]
}
export const ACT = { urge: 'urge', note: 'supplement' }

/** Whether the seat may urge the ticket or add to it now. */
export const mayAsk = (t: Known, what: What) => Boolean(t.opens || t.asks?.includes(ACT[what]))
