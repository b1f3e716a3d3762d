package io.github.loragraph.cache;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * A resource of the class path as a file of the tool's cache. The file is made once, under a
 * temporary name first, so that two processes that do it at the same time do no harm; a file of
 * another size than the resource is made again.
 */
public final class CachedResource {
  private CachedResource() {}

  /**
   * Unpacks a resource where the file is not there yet.
   *
   * @param file its path should change when the content does: see {@link #checksum}
   * @throws LoraGraphException if the cache cannot be written
   */
  public static Path unpack(URL resource, Path file) {
    try {
      long size = resource.openConnection().getContentLengthLong();
      if (isThere(file, size)) {
        return file;
      }
      try {
        AtomicFile.write(
            file,
            true,
            out -> {
              try (InputStream in = resource.openStream()) {
                in.transferTo(out);
              }
            });
      } catch (LoraGraphException e) {
        // Where files in use cannot be replaced, another process may have been faster.
        if (!isThere(file, size)) {
          throw new LoraGraphException(
              e.getMessage()
                  + " (set LORA_GRAPH_CACHE to a folder that can be written: it is the tool's cache)",
              e);
        }
      }
      return file;
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + resource + ": " + AtomicFile.reason(e), e);
    }
  }

  private static boolean isThere(Path file, long size) throws IOException {
    return Files.isRegularFile(file) && (size < 0 || Files.size(file) == size);
  }

  /**
   * The CRC-32 of a resource in hexadecimal, to be part of its path in the cache. That of an entry
   * of a jar stands in the jar's directory: nothing is unpacked for it.
   */
  public static String checksum(URL resource) {
    try {
      URLConnection connection = resource.openConnection();
      long crc = -1;
      if (connection instanceof JarURLConnection jar && jar.getJarEntry() != null) {
        crc = jar.getJarEntry().getCrc();
      }
      if (crc < 0) {
        try (CheckedInputStream in = new CheckedInputStream(resource.openStream(), new CRC32())) {
          in.skipNBytes(resource.openConnection().getContentLengthLong());
          crc = in.getChecksum().getValue();
        }
      }
      return "%08x".formatted(crc);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + resource + ": " + AtomicFile.reason(e), e);
    }
  }
}
