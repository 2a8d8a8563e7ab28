import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXT = /\.(js|css|html|svg|json)$/

function walk(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

/**
 * Clears the last build without touching the committed `.keep` that lets `go build` run before any front-end
 * build, then writes a .gz and a .br beside each text file so the server never compresses.
 */
export function precompress(): Plugin {
  let outDir = ''
  return {
    name: 'hotline-precompress',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir)
    },
    // Only once the new build is sure to be written: a failed one leaves the last good one in place.
    generateBundle() {
      if (!existsSync(outDir)) return
      for (const name of readdirSync(outDir)) {
        if (name === 'assets' || name.startsWith('index.html')) rmSync(join(outDir, name), { recursive: true, force: true })
      }
    },
    closeBundle() {
      for (const path of walk(outDir)) {
        if (!TEXT.test(path)) continue
        const data = readFileSync(path)
        if (data.length < 1024) continue
        writeFileSync(path + '.gz', gzipSync(data, { level: 9 }))
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 9,
          [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
        }
        writeFileSync(path + '.br', brotliCompressSync(data, { params }))
      }
    },
  }
}
