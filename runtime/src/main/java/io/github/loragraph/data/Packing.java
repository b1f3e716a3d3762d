package io.github.loragraph.data;

import io.airlift.compress.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Files that are packed by gzip (RFC 1952) or zstd (RFC 8878), known by how they begin. Several
 * such pieces one after the other are one text, as the programs of those names have it.
 */
final class Packing {
  private static final Set<String> ENDINGS = Set.of(".gz", ".gzip", ".zst", ".zstd");
  private static final int GZIP = 0x1f8b;
  private static final int ZSTD = 0x28b52ffd;
  private static final int BUFFER_BYTES = 1 << 16;

  private Packing() {}

  /** The name that a file has unpacked, in lower case: {@code rows.tsv} of {@code Rows.tsv.gz}. */
  static String unpackedName(Path file) {
    return unpackedName(file.getFileName() == null ? "" : file.getFileName().toString());
  }

  /** The same of the name alone. */
  static String unpackedName(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    int ending = lower.lastIndexOf('.');
    return ending >= 0 && ENDINGS.contains(lower.substring(ending))
        ? lower.substring(0, ending)
        : lower;
  }

  /** Whether a file begins as a packed one does. */
  static boolean isPacked(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(4);
      return is(start, GZIP, 2) || is(start, ZSTD, 4);
    }
  }

  /** The content of a file, unpacked where it is packed. */
  static InputStream open(Path file) throws IOException {
    BufferedInputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
    try {
      in.mark(4);
      byte[] start = in.readNBytes(4);
      in.reset();
      if (is(start, GZIP, 2)) {
        return new Unpacked(new WholeGzip(in));
      }
      return is(start, ZSTD, 4) ? new Unpacked(new ZstdInputStream(in)) : in;
    } catch (EOFException | ZipException e) {
      in.close();
      throw damaged(e);
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private static IOException damaged(Exception e) {
    return new IOException("it is packed, and cut short or damaged: pack it again", e);
  }

  private static boolean is(byte[] start, int mark, int bytes) {
    for (int i = 0; i < bytes; i++) {
      if (start.length <= i || start[i] != (byte) (mark >> 8 * (bytes - 1 - i))) {
        return false;
      }
    }
    return true;
  }

  /** The library passes over what it cannot unpack after a first piece; those may be rows. */
  private static final class WholeGzip extends GZIPInputStream {
    private static final int TRAILER_BYTES = 8;

    WholeGzip(InputStream in) throws IOException {
      super(in, BUFFER_BYTES);
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
      int read = super.read(bytes, from, length);
      if (read < 0 && (inf.getRemaining() > TRAILER_BYTES || in.read() >= 0)) {
        throw new ZipException("more than what is packed");
      }
      return read;
    }
  }

  /** Says of damage that it is one, whatever the unpacking library throws. */
  private static final class Unpacked extends FilterInputStream {
    Unpacked(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
      try {
        return super.read(bytes, from, length);
      } catch (IOException | RuntimeException e) {
        throw damaged(e);
      }
    }
  }
}
