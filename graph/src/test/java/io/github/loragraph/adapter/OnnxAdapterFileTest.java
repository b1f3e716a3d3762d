package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.flatbuffers.FlatBufferBuilder;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxAdapterFileTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int DAMAGED = 2000;

  @TempDir Path folder;

  private static OnnxAdapter adapter() {
    return OnnxAdapter.of(
        List.of(
            Tensor.ofFloats("layer.query.lora_A", new float[] {1, 2, 3, 4, 5, 6}, 3, 2),
            Tensor.ofFloats("layer.query.lora_B", new float[] {-1, 0.5f, 7}, 1, 3),
            Tensor.ofBooleans("odd", new boolean[] {true, false, true}, 3),
            Tensor.ofFloats("empty", new float[0], 3, 0),
            Tensor.scalar("na\u00efve", ElementType.FLOAT, 2.5)));
  }

  @Test
  void whatIsWrittenIsRead() {
    Path file = folder.resolve("a.onnx_adapter");
    OnnxAdapterFile.write(adapter(), file, false);
    OnnxAdapter read = OnnxAdapterFile.read(file);
    assertEquals(1, read.adapterVersion());
    assertEquals(1, read.modelVersion());
    assertEquals(
        List.of("layer.query.lora_A", "layer.query.lora_B", "odd", "empty", "na\u00efve"),
        List.copyOf(read.parameters().keySet()));
    assertArrayEquals(new long[] {3, 2}, tensor(read, "layer.query.lora_A").dims());
    assertArrayEquals(
        new float[] {1, 2, 3, 4, 5, 6}, tensor(read, "layer.query.lora_A").toFloats());
    assertArrayEquals(new long[] {1, 0, 1}, tensor(read, "odd").toLongs());
    assertArrayEquals(new long[] {3, 0}, tensor(read, "empty").dims());
    assertArrayEquals(new float[] {2.5f}, tensor(read, "na\u00efve").toFloats());
    assertEquals(24 + 12 + 3 + 4, read.size());
    assertThrows(LoraGraphException.class, () -> OnnxAdapterFile.write(adapter(), file, false));
  }

  private static Tensor tensor(OnnxAdapter adapter, String name) {
    Tensor tensor = adapter.parameters().get(name);
    return tensor == null ? fail("no " + name) : tensor;
  }

  /** The first bytes are what ONNX Runtime's writer and its schema have. */
  @Test
  void theFileIsAsTheSchemaHasIt() {
    ByteBuffer bytes = OnnxAdapterFile.bytes(adapter()).slice().order(ByteOrder.LITTLE_ENDIAN);
    byte[] identifier = new byte[4];
    bytes.get(4, identifier);
    assertEquals("TORT", new String(identifier, StandardCharsets.US_ASCII));
    int root = bytes.getInt(0);
    int table = root - bytes.getInt(root);
    for (int slot = 0; slot < 4; slot++) {
      assertTrue(bytes.getShort(table + 4 + 2 * slot) > 0, "field " + slot + " is written");
    }
    assertEquals(1, bytes.getInt(root + bytes.getShort(table + 4)));
    int parameters = root + bytes.getShort(table + 10);
    parameters += bytes.getInt(parameters);
    assertEquals(5, bytes.getInt(parameters));
    for (int i = 0; i < 5; i++) {
      int entry = parameters + 4 + 4 * i;
      int parameter = entry + bytes.getInt(entry);
      int fields = parameter - bytes.getInt(parameter);
      int data = parameter + bytes.getShort(fields + 10);
      data += bytes.getInt(data) + 4;
      assertEquals(0, data % 8, "the data of parameter " + i + " is aligned");
      int dims = parameter + bytes.getShort(fields + 6);
      dims += bytes.getInt(dims) + 4;
      assertEquals(0, dims % 8, "the dimensions of parameter " + i + " are aligned");
    }
  }

  @Test
  void whatCannotBeWrittenIsRefused() {
    LoraGraphException none =
        assertThrows(
            LoraGraphException.class, () -> OnnxAdapterFile.bytes(OnnxAdapter.of(List.of())));
    assertTrue(none.getMessage().contains("without parameters"), none.getMessage());
    Tensor one = Tensor.ofFloats("one", new float[] {1}, 1);
    LoraGraphException twice =
        assertThrows(LoraGraphException.class, () -> OnnxAdapter.of(List.of(one, one)));
    assertTrue(twice.getMessage().contains("two parameters named 'one'"), twice.getMessage());
  }

  /** Nobody has two GiB of memory for a test: the same 300 MB stand there under many names. */
  @Test
  void whatIsLargerThanTheFormatIsRefused() {
    ByteBuffer zeros = ByteBuffer.allocateDirect(300 << 20);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (int i = 0; i < 8; i++) {
      parameters.put("p" + i, Tensor.of("p" + i, ElementType.FLOAT, zeros, 75 << 20));
    }
    Path file = folder.resolve("large.onnx_adapter");
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class,
            () -> OnnxAdapterFile.write(new OnnxAdapter(1, 1, parameters), file, false));
    assertTrue(e.getMessage().contains("larger than 2 GiB"), e.getMessage());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    assertFalse(Files.exists(file));
  }

  @Test
  void hostileFilesAreRefusedInOneLine() throws IOException {
    refused("no such adapter", folder.resolve("missing"));
    refused("is a folder", folder);
    refused("it has 0 bytes", bytes("empty", new byte[0]));
    refused("it has 7 bytes", bytes("short", new byte[7]));
    refused("identifier TORT", bytes("zeros", new byte[64]));
    refused("identifier TORT", bytes("html", "<!DOCTYPE html><html>".getBytes(UTF_8)));
    refused(
        "identifier TORT",
        bytes("pointer", "version https://git-lfs.github.com/spec/v1\n".getBytes(UTF_8)));
    refused("outside", bytes("root", patched(b -> b.putInt(0, Integer.MAX_VALUE))));
    refused("outside", bytes("negative-root", patched(b -> b.putInt(0, -8))));
    refused("version 2", bytes("version", patched(b -> b.putInt(field(b, root(b), 0), 2))));
    refused("version 0", bytes("no-version", patched(b -> b.putInt(field(b, root(b), 0), 0))));
    refused("no parameters", bytes("none", patched(b -> b.putInt(vector(b, root(b), 3), 0))));
    refused(
        "more tables than bytes|outside",
        bytes("many", patched(b -> b.putInt(vector(b, root(b), 3), Integer.MAX_VALUE))));
    refused("outside", bytes("name", patched(b -> b.putInt(vector(b, first(b), 0), -5))));
    refused("empty name", bytes("unnamed", patched(b -> b.putInt(vector(b, first(b), 0), 0))));
    refused(
        "no UTF-8", bytes("latin", patched(b -> b.put(vector(b, first(b), 0) + 4, (byte) 0xff))));
    refused(
        "axis of size -1", bytes("axis", patched(b -> b.putLong(vector(b, first(b), 1) + 4, -1))));
    refused(
        "axis of size 9223372036854775807",
        bytes("huge", patched(b -> b.putLong(vector(b, first(b), 1) + 4, Long.MAX_VALUE))));
    refused(
        "needs 17,179,869,176 bytes and has 24",
        bytes("long", patched(b -> b.putLong(vector(b, first(b), 1) + 4, Integer.MAX_VALUE))));
    refused(
        "more entries than can be counted",
        bytes(
            "product",
            table("p", new long[] {1L << 30, 1L << 30, 1L << 30}, ElementType.FLOAT.code(), 4)));
    refused("needs 12 bytes and has 16", bytes("more", table("p", new long[] {3}, 1, 16)));
    refused("needs 12 bytes and has 8", bytes("less", table("p", new long[] {3}, 1, 8)));
    refused("of type 8", bytes("strings", table("p", new long[] {3}, 8, 12)));
    refused("of type 99", bytes("unknown", table("p", new long[] {3}, 99, 12)));
    refused("of type -7", bytes("minus", table("p", new long[] {3}, -7, 12)));
    refused("of type 0", bytes("untyped", table("p", new long[] {3}, 0, 12)));
    refused("two parameters are named 'p'", bytes("twice", tables("p", "p")));
    refused("has no name", bytes("nameless", table("", new long[] {3}, 1, 12)));
    refused(
        "needs 12 bytes and has 2,147,483,647|outside",
        bytes("data", patched(b -> b.putInt(vector(b, first(b), 3), Integer.MAX_VALUE))));
    byte[] good = content();
    for (int length = 8; length < good.length - 8; length++) {
      refused("no adapter", bytes("cut", Arrays.copyOf(good, length)));
    }
  }

  private static final java.nio.charset.Charset UTF_8 = StandardCharsets.UTF_8;

  private static byte[] content() {
    ByteBuffer bytes = OnnxAdapterFile.bytes(adapter());
    byte[] content = new byte[bytes.remaining()];
    bytes.get(content);
    return content;
  }

  private static byte[] patched(Consumer<ByteBuffer> patch) {
    byte[] content = content();
    patch.accept(ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN));
    return content;
  }

  private static int root(ByteBuffer b) {
    return b.getInt(0);
  }

  private static int field(ByteBuffer b, int table, int slot) {
    return table + b.getShort(table - b.getInt(table) + 4 + 2 * slot);
  }

  /** Where the length of a vector stands. */
  private static int vector(ByteBuffer b, int table, int slot) {
    int field = field(b, table, slot);
    return field + b.getInt(field);
  }

  private static int first(ByteBuffer b) {
    int entry = vector(b, root(b), 3) + 4;
    return entry + b.getInt(entry);
  }

  /** A file with one parameter, whatever it says of itself. */
  private static byte[] table(String name, long[] dims, int type, int length) {
    FlatBufferBuilder b = new FlatBufferBuilder();
    return finished(b, new int[] {parameter(b, name, dims, type, length)});
  }

  private static byte[] tables(String... names) {
    FlatBufferBuilder b = new FlatBufferBuilder();
    return finished(
        b, Arrays.stream(names).mapToInt(n -> parameter(b, n, new long[] {3}, 1, 12)).toArray());
  }

  private static byte[] finished(FlatBufferBuilder b, int[] tables) {
    int parameters = b.createVectorOfTables(tables);
    b.startTable(4);
    b.addInt(0, 1, 0);
    b.addOffset(3, parameters, 0);
    b.finish(b.endTable(), "TORT");
    return b.sizedByteArray();
  }

  private static int parameter(
      FlatBufferBuilder b, String name, long[] dims, int type, int length) {
    int nameAt = name.isEmpty() ? 0 : b.createString(name);
    b.startVector(8, dims.length, 8);
    for (int i = dims.length - 1; i >= 0; i--) {
      b.addLong(dims[i]);
    }
    int sizes = b.endVector();
    int data = b.createByteVector(new byte[length]);
    b.startTable(4);
    b.addOffset(0, nameAt, 0);
    b.addOffset(1, sizes, 0);
    b.addInt(2, type, 0);
    b.addOffset(3, data, 0);
    return b.endTable();
  }

  /** Wherever bytes are changed: what comes out is an adapter or one clear refusal. */
  @Test
  void damageIsRefusedOrHarmless() throws IOException {
    byte[] good = content();
    Random random = new Random(SEED);
    for (int i = 0; i < DAMAGED; i++) {
      byte[] bad = good.clone();
      for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      if (random.nextInt(4) == 0) {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length + 20));
      }
      Path file = bytes("damaged", bad);
      try {
        OnnxAdapter read = OnnxAdapterFile.read(file);
        read.parameters().values().forEach(t -> t.bytes().get(new byte[t.bytes().remaining()]));
      } catch (LoraGraphException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
      } catch (RuntimeException e) {
        fail("seed " + SEED + ", file " + i, e);
      }
    }
  }

  @Test
  void namesOfOtherToolsGoThereAndBack() {
    for (AdapterNaming naming : AdapterNaming.values()) {
      OnnxAdapter named = adapter().named(naming);
      assertTrue(named.parameters().containsKey("odd"));
      for (String name : named.parameters().keySet()) {
        assertTrue(adapter().parameters().containsKey(naming.ours(name)), name);
      }
    }
    assertEquals("x.lora_A.weight", AdapterNaming.OLIVE.of("x.lora_A"));
    assertEquals("x.lora_B.MatMul.weight", AdapterNaming.GENAI.of("x.lora_B"));
    assertEquals("classifier.weight", AdapterNaming.OLIVE.ours("classifier.weight"));
    assertEquals("lora-graph", AdapterNaming.LORA_GRAPH.toString());
  }

  private Path bytes(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static void refused(String words, Path file) {
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> OnnxAdapterFile.read(file));
    assertTrue(
        Arrays.stream(words.split("\\|")).anyMatch(w -> e.getMessage().contains(w)),
        e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
