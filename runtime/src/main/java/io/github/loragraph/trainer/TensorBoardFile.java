package io.github.loragraph.trainer;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.task.Report;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The event file of a run that TensorBoard shows: the figures of each log entry under {@code
 * train/} and of each evaluation under {@code eval/}, by their steps. A run that is gone on with
 * has a file for each of its parts, and each step once.
 *
 * <p>The file is TensorFlow's: records of an {@code Event} each ({@code tensorflow/core/util/
 * event.proto}) in TFRecord's frame, which is the length, its checksum, the content, its checksum.
 */
public final class TensorBoardFile implements TrainingListener, AutoCloseable {
  private static final String PREFIX = "events.out.tfevents.";
  private static final String VERSION = "brain.Event:2";

  // Fields of Event, Summary and Summary.Value.
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int VALUE = 1;
  private static final int TAG = 1;
  private static final int SIMPLE_VALUE = 2;

  /** What the checksum is turned and moved by, so that one of data with checksums is another. */
  private static final int MASK = 0xa282ead8;

  private static final int HEADER = Long.BYTES + Integer.BYTES;
  private static final String EVALUATION = "eval/";

  private final Path file;
  private final OutputStream out;

  /**
   * Begins a file beside those of earlier parts of the run.
   *
   * @throws LoraGraphException if it cannot be written
   */
  public TensorBoardFile(Path folder) {
    try {
      this.file = free(folder);
      this.out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW);
      write(event(output -> output.writeString(FILE_VERSION, VERSION)));
    } catch (IOException e) {
      throw failure(folder, e);
    }
  }

  /** Later parts come later in the order of names, by which TensorBoard reads. */
  private static Path free(Path folder) throws IOException {
    long seconds = System.currentTimeMillis() / 1000;
    for (Path before : files(folder)) {
      String name = before.getFileName().toString().substring(PREFIX.length());
      String digits = name.replaceFirst("\\..*", "");
      if (digits.matches("\\d{1,18}")) {
        seconds = Math.max(seconds, Long.parseLong(digits) + 1);
      }
    }
    return folder.resolve(String.format(Locale.ROOT, "%s%010d.lora-graph", PREFIX, seconds));
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.getFileName().toString().startsWith(PREFIX)).sorted().toList();
    }
  }

  private static LoraGraphException failure(Path file, IOException e) {
    return new LoraGraphException("cannot write " + file + ": " + AtomicFile.reason(e), e);
  }

  @Override
  public void log(StepRecord r) {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("train/loss", r.loss());
    figures.put("train/learning_rate", r.learningRate());
    figures.put("train/grad_norm", r.gradientNorm());
    figures.put("train/epoch", r.epoch());
    figures.put("train/samples_per_second", r.samplesPerSecond());
    figures.put("train/loss_scale", r.lossScale());
    add(r.step(), figures);
  }

  @Override
  public void evaluated(long step, Report report) {
    Map<String, Double> figures = new LinkedHashMap<>();
    report.figures().forEach((name, value) -> figures.put(EVALUATION + name, value));
    add(step, figures);
  }

  private void add(long step, Map<String, Double> figures) {
    figures.values().removeIf(value -> value.isNaN() || value.isInfinite());
    if (figures.isEmpty()) {
      return;
    }
    try {
      byte[] summary = summary(figures);
      write(
          event(
              output -> {
                output.writeInt64(STEP, step);
                output.writeByteArray(SUMMARY, summary);
              }));
      out.flush();
    } catch (IOException e) {
      throw failure(file, e);
    }
  }

  private static byte[] summary(Map<String, Double> figures) throws IOException {
    List<byte[]> values = new ArrayList<>();
    for (Map.Entry<String, Double> figure : figures.entrySet()) {
      values.add(
          bytes(
              output -> {
                output.writeString(TAG, figure.getKey());
                output.writeFloat(SIMPLE_VALUE, figure.getValue().floatValue());
              }));
    }
    return bytes(
        output -> {
          for (byte[] value : values) {
            output.writeByteArray(VALUE, value);
          }
        });
  }

  private static byte[] event(Fields fields) throws IOException {
    return bytes(
        output -> {
          output.writeDouble(WALL_TIME, System.currentTimeMillis() / 1e3);
          fields.writeTo(output);
        });
  }

  @FunctionalInterface
  private interface Fields {
    void writeTo(CodedOutputStream output) throws IOException;
  }

  private static byte[] bytes(Fields fields) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream output = CodedOutputStream.newInstance(bytes);
    fields.writeTo(output);
    output.flush();
    return bytes.toByteArray();
  }

  private void write(byte[] event) throws IOException {
    ByteBuffer record =
        ByteBuffer.allocate(HEADER + event.length + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(event.length);
    record.putInt(masked(record.array(), 0, Long.BYTES));
    record.put(event);
    record.putInt(masked(event, 0, event.length));
    out.write(record.array());
  }

  private static int masked(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    int value = (int) checksum.getValue();
    return Integer.rotateRight(value, 15) + MASK;
  }

  /**
   * Cuts off what the files of earlier parts have of steps that are made again.
   *
   * @param from the last step that is not
   * @param evaluates whether the evaluation of that step is made again
   * @throws IOException if a file cannot be read or written
   */
  static void cut(Path folder, long from, boolean evaluates) throws IOException {
    for (Path file : files(folder)) {
      byte[] bytes = Files.readAllBytes(file);
      int end = 0;
      while (bytes.length - end >= HEADER) {
        long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(end);
        if (length < 0 || length > bytes.length - end - HEADER - Integer.BYTES) {
          break;
        }
        int begin = end + HEADER;
        byte[] event = new byte[(int) length];
        System.arraycopy(bytes, begin, event, 0, event.length);
        long step = stepIn(event);
        boolean measured = new String(event, StandardCharsets.ISO_8859_1).contains(EVALUATION);
        if (step > from || step == from && evaluates && measured) {
          break;
        }
        end = begin + event.length + Integer.BYTES;
      }
      if (end < bytes.length) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(end);
        }
      }
    }
  }

  private static long stepIn(byte[] event) throws IOException {
    CodedInputStream fields = CodedInputStream.newInstance(event);
    for (int tag = fields.readTag(); tag != 0; tag = fields.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == STEP) {
        return fields.readInt64();
      }
      fields.skipField(tag);
    }
    return 0;
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw failure(file, e);
    }
  }
}
