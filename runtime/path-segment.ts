/**
 * Whether a text is one part of a path, and read as nothing else: a path that ends in `..` is that of another thing, or of all of them.
 *
 * @see IsValidPathSegmentName in k8s.io/apimachinery/pkg/api/validation/path
 */
export function isPathSegment(text: string): boolean {
	return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text)
}
