package io.github.loragraph.artifacts;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * The checksum of a checkpoint file, behind its content: FlatBuffers are read from the front, so
 * that ONNX Runtime passes over it, and a file that ONNX Runtime saves has none. 28 bytes: the
 * mark, the length of the content, its CRC-32C, the mark once more.
 */
final class CheckpointTrailer {
  /** Twice, so that a flipped bit does not make a file with a checksum one without. */
  private static final byte[] MARK = "LoRA-sum".getBytes(StandardCharsets.US_ASCII);

  /** The bytes of a trailer. */
  static final int SIZE = 2 * MARK.length + Long.BYTES + Integer.BYTES;

  private static final int LENGTH_AT = MARK.length;
  private static final int SUM_AT = LENGTH_AT + Long.BYTES;
  private static final int SECOND_MARK_AT = SUM_AT + Integer.BYTES;

  private CheckpointTrailer() {}

  /** The trailer of a content, which is left as it is. */
  static ByteBuffer of(ByteBuffer content) {
    return ByteBuffer.allocate(SIZE)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MARK)
        .putLong(content.remaining())
        .putInt(sum(content))
        .put(MARK)
        .flip();
  }

  private static int sum(ByteBuffer content) {
    CRC32C sum = new CRC32C();
    sum.update(content.duplicate());
    return (int) sum.getValue();
  }

  /** Whether a file ends with a trailer, be it damaged. */
  static boolean isIn(ByteBuffer file) {
    int start = file.limit() - SIZE;
    return start >= 0 && (isMark(file, start) || isMark(file, start + SECOND_MARK_AT));
  }

  /**
   * Whether the trailer that a file ends with is the one of what stands before it.
   *
   * @param file one that {@link #isIn} is true of
   */
  static boolean fits(ByteBuffer file) {
    int start = file.limit() - SIZE;
    ByteBuffer trailer = file.slice(start, SIZE).order(ByteOrder.LITTLE_ENDIAN);
    return isMark(file, start)
        && isMark(file, start + SECOND_MARK_AT)
        && trailer.getLong(LENGTH_AT) == start
        && trailer.getInt(SUM_AT) == sum(file.slice(0, start));
  }

  private static boolean isMark(ByteBuffer file, int at) {
    byte[] bytes = new byte[MARK.length];
    file.get(at, bytes);
    return Arrays.equals(bytes, MARK);
  }
}
