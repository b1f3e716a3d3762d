package io.github.loragraph.artifacts;

import com.google.flatbuffers.Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table of a file of FlatBuffers: its fields by slot, which FlatBuffers keeps for generated
 * subclasses. An offset that points outside the file is thrown as the buffer throws it.
 */
final class CheckpointTable extends Table {
  CheckpointTable(int position, ByteBuffer bytes) {
    __reset(position, bytes);
  }

  /** Where a field stands; 0 where it is left out. */
  private int position(int slot) {
    int offset = __offset(4 + 2 * slot);
    return offset == 0 ? 0 : offset + bb_pos;
  }

  int integer(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getInt(at);
  }

  long longInteger(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getLong(at);
  }

  float real(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getFloat(at);
  }

  boolean flag(int slot) {
    int at = position(slot);
    return at != 0 && bb.get(at) != 0;
  }

  String string(int slot, String what) {
    ByteBuffer content = bytes(slot, 1);
    if (content == null) {
      throw new Damage(what + " has no name");
    }
    return StandardCharsets.UTF_8.decode(content).toString();
  }

  /** The content of a vector, or null where it is left out. */
  @Nullable ByteBuffer bytes(int slot, int width) {
    int at = position(slot);
    if (at == 0) {
      return null;
    }
    int start = at + bb.getInt(at);
    int length = Math.multiplyExact(bb.getInt(start), width);
    return bb.slice(Math.addExact(start, 4), length).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Nullable CheckpointTable table(int slot) {
    int at = position(slot);
    return at == 0 ? null : new CheckpointTable(at + bb.getInt(at), bb);
  }

  List<CheckpointTable> tables(int slot, Budget budget) {
    int at = position(slot);
    List<CheckpointTable> tables = new ArrayList<>();
    if (at != 0) {
      int start = at + bb.getInt(at);
      int length = bb.getInt(start);
      for (int i = 0; i < length; i++) {
        budget.spend();
        int entry = start + 4 + 4 * i;
        tables.add(new CheckpointTable(entry + bb.getInt(entry), bb));
      }
    }
    return tables;
  }

  /** Says that a file is not what was once written, so that another copy of it may be whole. */
  static final class Damage extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Damage(String reason) {
      super(reason);
    }
  }

  /** Tables may overlap in a damaged file; there cannot be more of them than fit side by side. */
  static final class Budget {
    private int left;

    Budget(int tables) {
      left = tables;
    }

    void spend() {
      if (--left < 0) {
        throw new Damage("it has more tables than bytes");
      }
    }
  }
}
