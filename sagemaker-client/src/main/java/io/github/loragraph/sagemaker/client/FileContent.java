package io.github.loragraph.sagemaker.client;

import io.github.loragraph.file.Checksum;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.ContentStreamProvider;

/**
 * A file as the SDK reads it to send it, anew for each attempt, with the checksum of what it read
 * last. Whoever makes it closes it.
 */
final class FileContent implements ContentStreamProvider, AutoCloseable {
  private final Path file;
  private Checksum.Builder read = new Checksum.Builder();
  private @Nullable InputStream open;

  FileContent(Path file) {
    this.file = file;
  }

  @Override
  public InputStream newStream() {
    close();
    Checksum.Builder checksum = new Checksum.Builder();
    read = checksum;
    try {
      InputStream stream =
          new FilterInputStream(Files.newInputStream(file)) {
            @Override
            public int read() throws IOException {
              int one = super.read();
              if (one >= 0) {
                checksum.add(new byte[] {(byte) one});
              }
              return one;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
              int count = super.read(bytes, offset, length);
              if (count > 0) {
                checksum.add(ByteBuffer.wrap(bytes, offset, count));
              }
              return count;
            }

            @Override
            public boolean markSupported() {
              return false;
            }
          };
      open = stream;
      return stream;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The SHA-256 of what was read last, in hexadecimal digits; asked for once. */
  String checksum() {
    return read.build();
  }

  @Override
  public void close() {
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException e) {
      // It was read, and nothing is kept in it.
    }
  }
}
