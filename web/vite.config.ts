import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vitest/config'
import { precompress } from './build/precompress.ts'

const src = fileURLToPath(new URL('./src', import.meta.url))
const outDir = fileURLToPath(new URL('../internal/console/dist', import.meta.url))
const server = process.env.HOTLINE_SERVER ?? 'http://127.0.0.1:12345'

export default defineConfig({
  base: '/console/',
  resolve: { alias: { '@': src } },
  plugins: [
    vue(),
    Components({
      dirs: [],
      dts: 'src/components.d.ts',
      resolvers: [ElementPlusResolver({ importStyle: 'css', directives: false })],
    }),
    precompress(),
  ],
  build: {
    outDir,
    emptyOutDir: false,
    target: 'es2019',
    cssTarget: 'chrome80',
    sourcemap: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: { '/api': { target: server, changeOrigin: false }, '/seat': { target: server, ws: true, changeOrigin: false } },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    css: false,
  },
})
