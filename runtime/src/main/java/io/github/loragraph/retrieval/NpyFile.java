package io.github.loragraph.retrieval;

import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Writes vectors as NumPy reads them ({@code numpy.load}): the .npy format 1.0, little-endian
 * 32-bit floats in C order, of the shape (vectors, dimension). The header comes first and says how
 * many there are, which is known last: it is written over at the end.
 */
public final class NpyFile implements AtomicFile.Body {
  /** A multiple of 64, so that numbers begin at one. */
  private static final int HEADER = 128;

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

  private final Rows rows;
  private final int dimension;
  private long count;

  /** Takes vectors one by one. */
  @FunctionalInterface
  public interface Taker {
    void vector(float[] vector) throws IOException;
  }

  /** Hands over all vectors, in their order. */
  @FunctionalInterface
  public interface Rows {
    void each(Taker taker) throws IOException;
  }

  /**
   * @param dimension of each vector
   */
  public NpyFile(int dimension, Rows rows) {
    this.dimension = dimension;
    this.rows = rows;
  }

  /** Whether a file is to be of this format, by its name. */
  public static boolean isNamed(String file) {
    return file.toLowerCase(Locale.ROOT).endsWith(".npy");
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    count = 0;
    out.write(header());
    ByteBuffer row = ByteBuffer.allocate(dimension * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    rows.each(
        vector -> {
          if (vector.length != dimension) {
            throw new IllegalArgumentException(
                "a vector of %d numbers among those of %d".formatted(vector.length, dimension));
          }
          row.clear();
          row.asFloatBuffer().put(vector);
          out.write(row.array());
          count++;
        });
  }

  @Override
  public void finish(FileChannel file) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(header());
    while (header.hasRemaining()) {
      file.write(header, header.position());
    }
  }

  private byte[] header() {
    ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC);
    header.putShort((short) (HEADER - MAGIC.length - Short.BYTES));
    header.put(
        String.format(
                Locale.ROOT,
                "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }",
                count,
                dimension)
            .getBytes(StandardCharsets.US_ASCII));
    while (header.position() < HEADER - 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }
}
