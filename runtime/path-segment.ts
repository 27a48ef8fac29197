/**
 * Returns whether a text is one path segment without special meaning: a path that ends in `..` addresses another object, or a collection.
 *
 * @see IsValidPathSegmentName in k8s.io/apimachinery/pkg/api/validation/path
 */
export function isPathSegment(text: string): boolean {
	return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text)
}
