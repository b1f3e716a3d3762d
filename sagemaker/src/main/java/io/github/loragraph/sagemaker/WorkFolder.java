package io.github.loragraph.sagemaker;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where models are prepared and the run of a job is made: in the folder for temporary files, since
 * the platform copies its own folders while they are written to. The same for each container of a
 * job: a run that is gone on with finds its model where it was.
 *
 * @param path made by {@link #requireOwn}
 */
record WorkFolder(Path path) {
  /** What an archive had in it. */
  private static final String UNPACKED = "given";

  /** That of a job in some folders. */
  static WorkFolder of(ContainerFolders container) {
    String hash =
        new Checksum.Builder()
            .add(real(container.base()).toString().getBytes(StandardCharsets.UTF_8))
            .build()
            .substring(0, 10);
    return new WorkFolder(
        Path.of(System.getProperty("java.io.tmpdir"), "lora-graph-training-" + hash));
  }

  /** One folder is one, whatever links lead to it. */
  private static Path real(Path base) {
    try {
      return base.toRealPath();
    } catch (IOException e) {
      return base;
    }
  }

  /** Where a model in an archive is unpacked. */
  Path unpacked() {
    return path.resolve(UNPACKED);
  }

  /**
   * Makes the folder, and refuses one that somebody else has put there: what lies in it is trained
   * with, and deleted.
   *
   * @return the path
   * @throws LoraGraphException if it is a link or another user's, or cannot be written
   */
  Path requireOwn() {
    try {
      Files.createDirectories(AtomicFile.folderOf(path));
      if (!Files.isSymbolicLink(path)) {
        Files.createDirectories(path);
        Path own = Files.createTempFile(path, ".own-", "");
        UserPrincipal user = Files.getOwner(own);
        Files.delete(own);
        if (Files.getOwner(path, LinkOption.NOFOLLOW_LINKS).equals(user)) {
          return path;
        }
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(path, e);
    }
    throw new LoraGraphException(
        "%s is a link, or another user's: delete it, or name another folder for temporary files with JDK_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER"
            .formatted(path));
  }

  /**
   * Takes away what a container that was killed has left: only what the platform keeps is gone on
   * with.
   *
   * @throws LoraGraphException if it cannot be deleted
   */
  void clear() {
    try {
      for (Path file : FolderFiles.in(path)) {
        if (!file.getFileName().toString().startsWith(".")) {
          TemporaryFolder.delete(file);
        }
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(path, e);
    }
  }

  /** Takes the folder away; what stays goes with the container. */
  void delete() {
    try {
      TemporaryFolder.delete(path);
    } catch (IOException e) {
      // It is cleared by the next container of the job.
    }
  }

  /**
   * A message without the names of what lies here, which goes with the job.
   *
   * @param given the model by the name that the job has for it
   */
  String shown(String message, String given) {
    String work = Pattern.quote(path.toString());
    return message
        .replaceAll(work + "/" + UNPACKED, Matcher.quoteReplacement(given))
        .replaceAll(work + "/models/[^/\\s]+/model\\.onnx", Matcher.quoteReplacement(given));
  }
}
