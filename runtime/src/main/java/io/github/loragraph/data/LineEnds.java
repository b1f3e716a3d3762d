package io.github.loragraph.data;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How the lines of a file of text end, which readers do not tell apart.
 *
 * @param marked whether it begins with a byte order mark
 * @param lf lines that end in a line feed alone
 * @param crLf in carriage return and line feed
 * @param cr in a carriage return alone
 */
public record LineEnds(boolean marked, long lf, long crLf, long cr) {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final byte[] MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  /**
   * Those of a file, packed or not.
   *
   * @throws LoraGraphException if it cannot be read
   */
  public static LineEnds of(Path file) {
    try (InputStream in = Packing.open(file)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      long lf = 0;
      long crLf = 0;
      long cr = 0;
      int read = in.readNBytes(buffer, 0, buffer.length);
      boolean marked =
          read >= MARK.length
              && buffer[0] == MARK[0]
              && buffer[1] == MARK[1]
              && buffer[2] == MARK[2];
      boolean returned = false;
      for (; read > 0; read = in.readNBytes(buffer, 0, buffer.length)) {
        for (int i = 0; i < read; i++) {
          byte b = buffer[i];
          if (b == '\n' && returned) {
            crLf++;
          } else {
            cr += returned ? 1 : 0;
            lf += b == '\n' ? 1 : 0;
          }
          returned = b == '\r';
        }
      }
      return new LineEnds(marked, lf, crLf, cr + (returned ? 1 : 0));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /** What is not as most files have it, a line each. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (marked) {
      notes.add("it begins with a byte order mark, which is passed over");
    }
    if (crLf > 0 && lf == 0 && cr == 0) {
      notes.add("its lines end in CR LF, which is taken as LF is");
    } else if (crLf > 0 || cr > 0) {
      notes.add(
          "%s in LF, %,d in CR LF, %,d in CR: each ends a row that is not within quotes"
              .formatted(Counted.of(lf, "line ends", "lines end"), crLf, cr));
    }
    return notes;
  }
}
