package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Tells whether a file is the one that it was. */
public final class Checksum {
  private static final int BUFFER_BYTES = 1 << 20;

  private Checksum() {}

  /**
   * The SHA-256 of a file's content, in hexadecimal digits.
   *
   * @throws LoraGraphException if the file cannot be read
   */
  public static String of(Path file) {
    try {
      return Uninterrupted.run(() -> read(file));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static String read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      Builder checksum = new Builder();
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      while (channel.read(buffer) >= 0) {
        checksum.add(buffer.flip());
        buffer.clear();
      }
      return checksum.build();
    }
  }

  /** The same of content that is in memory, piece by piece. */
  public static final class Builder {
    private final MessageDigest digest;

    public Builder() {
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    /** Adds what is left of a buffer. */
    public Builder add(ByteBuffer bytes) {
      digest.update(bytes);
      return this;
    }

    public Builder add(byte[] bytes) {
      digest.update(bytes);
      return this;
    }

    /** In hexadecimal digits; nothing can be added any more. */
    public String build() {
      return HexFormat.of().formatHex(digest.digest());
    }
  }
}
