package io.github.loragraph.bench;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes an encoder as a TorchScript file, as {@code torch.jit.trace} would save it: an archive of
 * the code, a pickled object, and a file for each weight. So no Python is needed to have libtorch
 * train a whole graph.
 */
final class ScriptFile {
  /** What libtorch 2.7 writes. */
  private static final String FORMAT = "10\n";

  private static final String ENDING = ".pt";
  private static final String MODULE = "__torch__";
  private static final String TYPE = "Encoder";

  private final Encoder encoder;
  private final Map<String, EncoderFile.Weight> weights;
  private final String folder;

  private ScriptFile(Encoder encoder, Map<String, EncoderFile.Weight> weights, String folder) {
    this.encoder = encoder;
    this.weights = weights;
    this.folder = folder;
  }

  /** Where the script of a model file is. */
  static Path beside(Path modelFile) {
    String name = modelFile.getFileName().toString().replaceFirst("\\.onnx$", "");
    return modelFile.resolveSibling(name + ENDING);
  }

  /**
   * Writes the script beside a model file, where it is not there yet; its method {@code forward}
   * takes the inputs in the order of {@link Encoder.Inputs}.
   */
  static void make(Path modelFile) {
    Path target = beside(modelFile);
    if (Files.exists(target)) {
      return;
    }
    EncoderFile file = EncoderFile.read(modelFile);
    try {
      Path part = Files.createTempFile(target.toAbsolutePath().getParent(), "script", ENDING);
      new ScriptFile(file.encoder(), file.weights(), "encoder").write(part);
      Files.move(part, target);
    } catch (IOException e) {
      throw new LoraGraphException("cannot write %s: %s".formatted(target, e.getMessage()), e);
    }
  }

  private void write(Path target) throws IOException {
    try (OutputStream out = Files.newOutputStream(target);
        ZipOutputStream archive = new ZipOutputStream(out)) {
      put(archive, "data.pkl", ByteBuffer.wrap(module()));
      put(archive, "code/" + MODULE + ".py", text(code()));
      int number = 0;
      for (EncoderFile.Weight weight : weights.values()) {
        put(archive, "data/" + number++, weight.data());
      }
      put(archive, "constants.pkl", ByteBuffer.wrap(noConstants()));
      put(archive, "version", text(FORMAT));
    }
  }

  private static ByteBuffer text(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Not compressed: libtorch reads entries in place. */
  private void put(ZipOutputStream archive, String name, ByteBuffer data) throws IOException {
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    CRC32 sum = new CRC32();
    sum.update(bytes);
    ZipEntry entry = new ZipEntry(folder + "/" + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(sum.getValue());
    archive.putNextEntry(entry);
    archive.write(bytes);
    archive.closeEntry();
  }

  private String code() {
    ScriptOps ops = new ScriptOps();
    String result =
        encoder.logits(ops, new Encoder.Inputs<>("ids", "positions", "types", "mask", "tokens"));
    StringBuilder code = new StringBuilder("class %s(Module):\n".formatted(TYPE));
    code.append("  __parameters__ = [");
    weights
        .keySet()
        .forEach(name -> code.append('"').append(ScriptOps.attribute(name)).append("\", "));
    code.append("]\n  __buffers__ = []\n");
    weights
        .keySet()
        .forEach(name -> code.append("  %s : Tensor\n".formatted(ScriptOps.attribute(name))));
    code.append("  training : bool\n");
    code.append(
        "  def forward(self: %s.%s, ids: Tensor, positions: Tensor, types: Tensor, mask: Tensor, tokens: Tensor) -> Tensor:\n"
            .formatted(MODULE, TYPE));
    return code.append(ops.body(result)).toString();
  }

  private byte[] module() {
    PickleWriter pickle = new PickleWriter();
    pickle.global(MODULE, TYPE);
    pickle.emptyTuple();
    pickle.make();
    pickle.emptyDictionary();
    pickle.mark();
    int number = 0;
    for (Map.Entry<String, EncoderFile.Weight> weight : weights.entrySet()) {
      pickle.text(ScriptOps.attribute(weight.getKey()));
      tensor(pickle, number++, weight.getValue().dims());
    }
    pickle.text("training");
    pickle.flag(true);
    pickle.putAll();
    pickle.build();
    return pickle.bytes();
  }

  private static void tensor(PickleWriter pickle, int number, long[] dims) {
    long count = 1;
    for (long d : dims) {
      count *= d;
    }
    pickle.global("torch._utils", "_rebuild_tensor_v2");
    pickle.mark();
    pickle.mark();
    pickle.text("storage");
    pickle.global("torch", "FloatStorage");
    pickle.text(Integer.toString(number));
    pickle.text("cpu");
    pickle.number(count);
    pickle.endTuple();
    pickle.persistent();
    pickle.number(0);
    pickle.mark();
    for (long d : dims) {
      pickle.number(d);
    }
    pickle.endTuple();
    pickle.mark();
    long stride = count;
    for (long d : dims) {
      stride /= d;
      pickle.number(stride);
    }
    pickle.endTuple();
    pickle.flag(true);
    pickle.global("collections", "OrderedDict");
    pickle.emptyTuple();
    pickle.call();
    pickle.endTuple();
    pickle.call();
  }

  private static byte[] noConstants() {
    PickleWriter pickle = new PickleWriter();
    pickle.emptyTuple();
    return pickle.bytes();
  }
}
