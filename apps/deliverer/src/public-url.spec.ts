import { expect, it } from '@jest/globals'
import { publicUrl } from './public-url.js'

it.each([
  ['https://user:pass@example.com/hook?token=s3cret#x', 'https://example.com/hook'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/'],
  ['https://bücher.example/a%20b', 'https://xn--bcher-kva.example/a%20b'],
])('S7 %s is shown without what may be a credential', (url, shown) => {
  expect(publicUrl(url)).toBe(shown)
})
