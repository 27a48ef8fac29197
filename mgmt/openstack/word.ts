import * as z from 'zod'

/** A name, an id or an address. OpenStack itself does not store longer ones. */
export const Word = z.string().max(255)
/** A URL that a remote system returns. */
export const RemoteUrl = z.string().max(2_048)
