-- AlterTable
ALTER TABLE "sample" ADD COLUMN     "digest" TEXT NOT NULL DEFAULT '';
