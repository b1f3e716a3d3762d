package io.github.loragraph.onnx;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The files of others that a model has weights in: what {@link OnnxFile#stageReferring} wrote says
 * of each how long it was and what its CRC-32C was, so that weights of a file that was replaced are
 * never taken for the model's. It stands in the model's metadata under {@link #KEY}, as a list of
 * {@code {"location", "bytes", "crc32c", "link"}}.
 *
 * @param location relative to the model's folder, as {@code external_data} has it
 * @param bytes of the whole file
 * @param crc32c of the whole file, in eight hexadecimal digits
 * @param link whether the location is a further name of the file, which is the model's own
 */
record ReferredFiles(String location, long bytes, String crc32c, boolean link) {
  /** The key in the metadata of the model file; a model that was read does not have it. */
  static final String KEY = "lora_graph_weights";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Read at once when a checksum is taken: what is mapped would count as memory of the process. */
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * What is to be said of files as they are now.
   *
   * @param links those of the locations that are further names
   * @throws LoraGraphException if one cannot be read
   */
  static String stated(Collection<String> locations, Set<String> links, Path folder) {
    ArrayNode list = JSON.createArrayNode();
    for (String location : locations) {
      Path file = folder.resolve(location);
      try {
        list.addObject()
            .put("location", location)
            .put("bytes", Files.size(file))
            .put("crc32c", checksum(file))
            .put("link", links.contains(location));
      } catch (IOException e) {
        throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
      }
    }
    return list.toString();
  }

  /**
   * What a model says of them; none where it says nothing.
   *
   * @param json the entry of the metadata
   * @throws LoraGraphException if it is malformed
   */
  static List<ReferredFiles> of(@Nullable String json) {
    if (json == null) {
      return List.of();
    }
    List<ReferredFiles> files = new ArrayList<>();
    try {
      JsonNode list = JSON.readTree(json);
      if (!list.isArray()) {
        throw malformed(null);
      }
      for (JsonNode entry : list) {
        if (!entry.path("location").isTextual()
            || !entry.path("bytes").isIntegralNumber()
            || !entry.path("crc32c").isTextual()
            || !entry.path("link").isBoolean()) {
          throw malformed(null);
        }
        files.add(
            new ReferredFiles(
                entry.get("location").textValue(),
                entry.get("bytes").longValue(),
                entry.get("crc32c").textValue(),
                entry.get("link").booleanValue()));
      }
      return files;
    } catch (JsonProcessingException e) {
      throw malformed(e);
    }
  }

  private static LoraGraphException malformed(@Nullable Exception cause) {
    return new LoraGraphException(
        "the model's '%s' metadata is malformed: make it anew from its base".formatted(KEY), cause);
  }

  /**
   * Refuses files that are no longer what they were.
   *
   * @param resolved what a location means
   * @throws LoraGraphException if one has changed
   */
  static void requireUnchanged(
      List<ReferredFiles> referred, Path model, Function<String, Path> resolved) {
    for (ReferredFiles one : referred) {
      Path file = resolved.apply(one.location);
      try {
        if (Files.size(file) != one.bytes || !checksum(file).equals(one.crc32c)) {
          throw new LoraGraphException(
              "%s has its weights in %s, which is another file than when it was made: put that back, or make the model anew from this one"
                  .formatted(model, file));
        }
      } catch (IOException e) {
        throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
      }
    }
  }

  private static String checksum(Path file) throws IOException {
    return Uninterrupted.run(
        () -> {
          CRC32C crc = new CRC32C();
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer part = ByteBuffer.allocateDirect(BUFFER_BYTES);
            while (channel.read(part.clear()) > 0) {
              crc.update(part.flip());
            }
          }
          return "%08x".formatted(crc.getValue());
        });
  }
}
