package io.github.loragraph.file;

import com.google.flatbuffers.Table;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table of a file of FlatBuffers: its fields by slot, which FlatBuffers keeps for generated
 * subclasses. Any bytes may be read: an offset that points outside of them is thrown as the buffer
 * throws it, and a vector is never longer than they are.
 */
public final class FlatTable extends Table {
  /**
   * @param position of the table in the bytes
   */
  public FlatTable(int position, ByteBuffer bytes) {
    __reset(position, bytes);
  }

  /** Where a field stands; 0 where it is left out. */
  private int position(int slot) {
    int offset = __offset(4 + 2 * slot);
    return offset == 0 ? 0 : offset + bb_pos;
  }

  /** The INT32 of a field; 0 where it is left out. */
  public int integer(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getInt(at);
  }

  /** The INT64 of a field; 0 where it is left out. */
  public long longInteger(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getLong(at);
  }

  /** The FLOAT of a field; 0 where it is left out. */
  public float real(int slot) {
    int at = position(slot);
    return at == 0 ? 0 : bb.getFloat(at);
  }

  /** The BOOL of a field; false where it is left out. */
  public boolean flag(int slot) {
    int at = position(slot);
    return at != 0 && bb.get(at) != 0;
  }

  /**
   * A text.
   *
   * @param what has it, for a message
   * @throws Damage if it is left out, or no UTF-8
   */
  public String string(int slot, String what) {
    ByteBuffer content = bytes(slot, 1);
    if (content == null) {
      throw new Damage(what + " has no name");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(content).toString();
    } catch (CharacterCodingException e) {
      throw new Damage(what + " has a name that is no UTF-8");
    }
  }

  /**
   * The content of a vector, little-endian, or null where it is left out.
   *
   * @param width of an entry in bytes
   */
  public @Nullable ByteBuffer bytes(int slot, int width) {
    int at = position(slot);
    if (at == 0) {
      return null;
    }
    int start = at + bb.getInt(at);
    int length = Math.multiplyExact(bb.getInt(start), width);
    return bb.slice(Math.addExact(start, 4), length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A table in a field, or null where it is left out. */
  public @Nullable FlatTable table(int slot) {
    int at = position(slot);
    return at == 0 ? null : new FlatTable(at + bb.getInt(at), bb);
  }

  /**
   * The tables of a vector; none where it is left out.
   *
   * @throws Damage if there are more than the budget allows
   */
  public List<FlatTable> tables(int slot, Budget budget) {
    int at = position(slot);
    List<FlatTable> tables = new ArrayList<>();
    if (at != 0) {
      int start = at + bb.getInt(at);
      int length = bb.getInt(start);
      for (int i = 0; i < length; i++) {
        budget.spend();
        int entry = start + 4 + 4 * i;
        tables.add(new FlatTable(entry + bb.getInt(entry), bb));
      }
    }
    return tables;
  }

  /** Says that a file is not what was once written, so that another copy of it may be whole. */
  public static final class Damage extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Damage(String reason) {
      super(reason);
    }
  }

  /** Tables may overlap in a damaged file; there cannot be more of them than fit side by side. */
  public static final class Budget {
    private int left;

    public Budget(int tables) {
      left = tables;
    }

    void spend() {
      if (--left < 0) {
        throw new Damage("it has more tables than bytes");
      }
    }
  }
}
