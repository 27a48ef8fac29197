import * as z from 'zod'

/** A name, an id, an address: OpenStack itself stores no longer ones. */
export const Word = z.string().max(255)
/** An address that a remote system names. */
export const RemoteUrl = z.string().max(2_048)
