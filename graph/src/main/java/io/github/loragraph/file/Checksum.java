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
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
      while (channel.read(buffer) >= 0) {
        digest.update(buffer.flip());
        buffer.clear();
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
