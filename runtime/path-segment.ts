/**
 * Returns whether a string is a single path segment without a special meaning. A path that ends in `..`, for example, addresses another
 * object or a collection.
 *
 * @see IsValidPathSegmentName in k8s.io/apimachinery/pkg/api/validation/path
 */
export function isPathSegment(text: string): boolean {
	return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text)
}
