package io.github.loragraph.cache;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * What a file of the cache is to hold.
 *
 * @param name for messages
 * @param checksum the CRC-32: files are damaged by accident, and nobody else can write to the cache
 */
public record Resource(String name, long checksum, Source source) {
  /** Opens the content. */
  @FunctionalInterface
  public interface Source {
    InputStream open() throws IOException;
  }

  /**
   * A resource of the class path. The checksum of an entry of a jar stands in the jar's directory:
   * nothing is unpacked for it.
   */
  public static Resource of(URL url) {
    try {
      URLConnection connection = url.openConnection();
      long crc = -1;
      if (connection instanceof JarURLConnection jar && jar.getJarEntry() != null) {
        crc = jar.getJarEntry().getCrc();
      }
      if (crc < 0) {
        try (InputStream in = url.openStream()) {
          crc = checksum(in);
        }
      }
      return new Resource(url.toString(), crc, url::openStream);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + url + ": " + AtomicFile.reason(e), e);
    }
  }

  /** A content that was made. */
  public static Resource of(String name, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return new Resource(name, crc.getValue(), () -> new ByteArrayInputStream(content));
  }

  /** The checksum of all that is left in a stream. */
  static long checksum(InputStream in) throws IOException {
    CRC32 crc = new CRC32();
    byte[] buffer = new byte[1 << 16];
    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
      crc.update(buffer, 0, count);
    }
    return crc.getValue();
  }

  /** The checksum in hexadecimal, to be part of a path. */
  public String checksumName() {
    return "%08x".formatted(checksum);
  }

  /** Opens the content; who reads it to its end has read what the checksum says. */
  InputStream open() throws IOException {
    return new CheckedInputStream(source.open(), new CRC32()) {
      @Override
      public int read(byte[] buffer, int offset, int length) throws IOException {
        int count = super.read(buffer, offset, length);
        if (count < 0 && getChecksum().getValue() != checksum) {
          throw new IOException(name + " is damaged: install lora-graph again");
        }
        return count;
      }
    };
  }
}
