/**
 * Addresses at which clouds serve metadata to their instances. It is unknown whether a node uses them, so only the route to them is
 * compared, and they are never probed.
 */
export const METADATA_SERVICE: readonly string[] = ['169.254.169.254', 'fd00:ec2::254']
