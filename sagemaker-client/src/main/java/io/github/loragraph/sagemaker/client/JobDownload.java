package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.sagemaker.ContentFile;
import io.github.loragraph.sagemaker.TarGz;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Gets out of S3 what a training job has made.
 *
 * @param target folder of the job, which appears whole or not at all
 * @param notes takes a line for what there is not
 */
record JobDownload(S3Client s3, JobDescription job, Path target, Consumer<String> notes) {
  private static final String OUTPUT = "output";

  /**
   * @throws LoraGraphException if the folder is there or cannot be written, the job has no model,
   *     or an archive cannot be had, is damaged, or has something that belongs outside of the
   *     folder
   */
  void run() {
    if (Files.exists(target)) {
      throw new LoraGraphException(
          "%s: %s is there already: take it away, or name another folder"
              .formatted(job.name(), target));
    }
    S3Location model = job.model().orElseThrow(() -> without("it has no model"));
    Path folder = AtomicFile.folderOf(target);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw ContentFile.cannotWrite(folder, e);
    }
    try (TemporaryFolder parts = TemporaryFolder.createIn(folder, "download-")) {
      Path whole = parts.path().resolve("job");
      if (!ServiceFailure.in(
          job.name() + ": download " + model, () -> unpack(model, parts.path(), whole, target))) {
        throw without("there is no " + model + ", where the service says that its model is");
      }
      if (!hasModel(whole)) {
        throw without("there is no .onnx file in " + model);
      }
      output(parts.path(), whole);
      Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw ContentFile.cannotWrite(target, e);
    }
  }

  /** A job that is not completed has perhaps not come to it. */
  private LoraGraphException without(String what) {
    return new LoraGraphException(
        "%s: %s; the job is %s%s"
            .formatted(
                job.name(),
                what,
                job.state(),
                job.failure().map(reason -> ": " + reason).orElse("")));
  }

  /** What else the job has written, which may be nothing. */
  private void output(Path parts, Path whole) {
    @Nullable S3Location output = job.output().orElse(null);
    if (output != null && Files.exists(whole.resolve(OUTPUT))) {
      notes.accept(
          "%s: the archive of its model has a folder '%s' of its own, so that %s is left where it is"
              .formatted(job.name(), OUTPUT, output));
      return;
    }
    try {
      if (output == null || !unpack(output, parts, whole.resolve(OUTPUT), target.resolve(OUTPUT))) {
        notes.accept(job.name() + " has written nothing but its model");
      }
    } catch (SdkException e) {
      if (!ServiceFailure.isDenied(e)) {
        throw ServiceFailure.of(job.name() + ": download " + output, e);
      }
      notes.accept(
          "%s: %s is taken as not there: access is denied%s, which S3 also says of what is not there to who may not list the bucket (s3:ListBucket)"
              .formatted(job.name(), output, ServiceFailure.said(e)));
    }
  }

  private static boolean hasModel(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.anyMatch(file -> file.toString().endsWith(".onnx") && Files.isRegularFile(file));
    }
  }

  /**
   * @param place where it is unpacked to for now
   * @param end what that will be
   * @return whether there is such an archive
   */
  private boolean unpack(S3Location source, Path parts, Path place, Path end) {
    Path archive = parts.resolve("archive");
    if (!get(source, archive, end)) {
      return false;
    }
    try {
      TarGz.unpack(archive, place);
      return true;
    } catch (LoraGraphException e) {
      // Neither file is there any more when this is read.
      throw new LoraGraphException(
          (job.name() + ": " + e.getMessage())
              .replace(archive.toString(), source.toString())
              .replace(place.toString(), end.toString()),
          e);
    }
  }

  private boolean get(S3Location source, Path file, Path end) {
    try {
      s3.getObject(
          get -> get.bucket(source.bucket()).key(source.key()),
          (answer, content) -> write(answer, content, file, end));
      return true;
    } catch (SdkException e) {
      for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
        if (cause instanceof LoraGraphException full) {
          throw new LoraGraphException(
              "%s: download %s: %s".formatted(job.name(), source, full.getMessage()), e);
        }
      }
      if (e instanceof RetryableException cut && cut.getCause() instanceof IOException reason) {
        throw new LoraGraphException(
            "%s: download %s to %s: the connection was cut (%s): try again"
                .formatted(job.name(), source, end, AtomicFile.reason(reason)),
            e);
      }
      if (ServiceFailure.isNotFound(e)) {
        return false;
      }
      throw e;
    }
  }

  /** May be called again for the same file. */
  private static GetObjectResponse write(
      GetObjectResponse answer, InputStream content, Path file, Path end) throws IOException {
    Files.deleteIfExists(file);
    try {
      new ContentFile(file, end).write(content);
      long got = Files.size(file);
      // The JDK's client takes the end of a connection for the end of what it was to bring.
      if (answer.contentLength() != null && got < answer.contentLength()) {
        throw new EOFException("%,d of %,d bytes have come".formatted(got, answer.contentLength()));
      }
      return answer;
    } catch (IOException e) {
      throw RetryableException.create(String.valueOf(e.getMessage()), e);
    }
  }
}
