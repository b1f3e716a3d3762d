package io.github.loragraph.cuda;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads which libraries a shared library of 64-bit Linux needs: the DT_NEEDED entries of its
 * dynamic section, as the System V ABI lays them out.
 */
final class ElfFile {
  private static final int MAGIC = 0x464c457f;
  private static final int HEADER_BYTES = 64;
  private static final int PROGRAM_HEADER_BYTES = 56;
  private static final int DYNAMIC_ENTRY_BYTES = 16;
  private static final int LOAD = 1;
  private static final int DYNAMIC = 2;
  private static final long NEEDED = 1;
  private static final long STRING_TABLE = 5;
  private static final int LONGEST_NAME = 4096;

  /** A part of the file and the address that it is loaded to. */
  private record Segment(int type, long offset, long address, long size) {}

  private final FileChannel file;

  private ElfFile(FileChannel file) {
    this.file = file;
  }

  /**
   * The names of the needed libraries, in the file's order.
   *
   * @throws IOException if the file cannot be read or is no such library
   */
  static List<String> needed(Path library) throws IOException {
    try (FileChannel channel = FileChannel.open(library, StandardOpenOption.READ)) {
      return new ElfFile(channel).needed();
    }
  }

  private List<String> needed() throws IOException {
    ByteBuffer header = read(0, HEADER_BYTES);
    boolean is64BitLittleEndian = header.get(4) == 2 && header.get(5) == 1;
    if (header.getInt(0) != MAGIC || !is64BitLittleEndian) {
      throw new IOException("not a library of 64-bit Linux");
    }
    List<Segment> segments = segments(header.getLong(32), header.getShort(56) & 0xffff);
    long strings = -1;
    List<Long> names = new ArrayList<>();
    for (Segment dynamic : segments) {
      if (dynamic.type() != DYNAMIC) {
        continue;
      }
      for (long at = 0; at + DYNAMIC_ENTRY_BYTES <= dynamic.size(); at += DYNAMIC_ENTRY_BYTES) {
        ByteBuffer entry = read(dynamic.offset() + at, DYNAMIC_ENTRY_BYTES);
        if (entry.getLong(0) == NEEDED) {
          names.add(entry.getLong(8));
        } else if (entry.getLong(0) == STRING_TABLE) {
          strings = offset(entry.getLong(8), segments);
        }
      }
    }
    List<String> needed = new ArrayList<>();
    for (long name : names) {
      needed.add(string(strings + name));
    }
    return needed;
  }

  private List<Segment> segments(long offset, int count) throws IOException {
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ByteBuffer header = read(offset + (long) i * PROGRAM_HEADER_BYTES, PROGRAM_HEADER_BYTES);
      segments.add(
          new Segment(header.getInt(0), header.getLong(8), header.getLong(16), header.getLong(32)));
    }
    return segments;
  }

  /** Where in the file an address lies. */
  private static long offset(long address, List<Segment> segments) throws IOException {
    for (Segment segment : segments) {
      long within = address - segment.address();
      if (segment.type() == LOAD && within >= 0 && within < segment.size()) {
        return segment.offset() + within;
      }
    }
    throw new IOException("the table of names is not in the file");
  }

  private String string(long offset) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (long at = offset; bytes.size() < LONGEST_NAME; at++) {
      byte b = read(at, 1).get(0);
      if (b == 0) {
        break;
      }
      bytes.write(b);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private ByteBuffer read(long offset, int size) throws IOException {
    if (offset < 0) {
      throw new IOException("a part of the library is nowhere");
    }
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, offset + buffer.position()) < 0) {
        throw new EOFException("the library is cut off");
      }
    }
    return buffer.flip();
  }
}
