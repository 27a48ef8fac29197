/**
 * Where clouds serve metadata to their machines. Nothing tells whether a node uses it, so it is only compared which way the node reaches it,
 * and never asked whether it answers.
 */
export const METADATA_SERVICE: readonly string[] = ['169.254.169.254', 'fd00:ec2::254']
